"""The peer in FastAPI with asyncpg; uvicorn runs two processes of it, four
connections each, with its access log. Tokens are verified (ES256) and kept
with their principal until they expire."""

import base64
import json
import os
import pathlib
import time
import uuid
from typing import List, Literal, Optional

import asyncpg
import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response
from pydantic import BaseModel, Extra, Field

STATEMENTS = json.loads(pathlib.Path(os.environ["STATEMENTS"]).read_text())
KEY = pathlib.Path(os.environ["PUBLIC_KEY"]).read_bytes()

app = FastAPI()
sessions = {}


@app.on_event("startup")
async def connect():
    app.state.pool = await asyncpg.create_pool(min_size=4, max_size=4)


async def principal(authorization: str = Header("")):
    token = authorization[len("Bearer "):]
    kept = sessions.get(token)
    if kept is None or kept[0] <= time.time():
        try:
            claims = jwt.decode(token, KEY, algorithms=["ES256"],
                                issuer=os.environ["ISSUER"],
                                audience="dudao-api")
        except jwt.InvalidTokenError:
            raise HTTPException(401)
        user = await app.state.pool.fetchrow(
            STATEMENTS["authenticate"], uuid.UUID(claims["sid"]))
        if user is None:
            raise HTTPException(401)
        kept = (claims["exp"], (str(user["user_id"]), user["roles"],
                                str(user["organization_id"] or "")))
        sessions[token] = kept
    return kept[1]


async def run(who, name, *values):
    async with app.state.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute(STATEMENTS["principal"], *who)
            return await connection.fetch(STATEMENTS[name], *values)


def answer(body, status=200, **headers):
    return Response(body, status, headers, "application/json")


@app.get("/v1/problems/{problem_id}")
async def read_problem(problem_id: uuid.UUID, who=Depends(principal),
                       if_none_match: Optional[str] = Header(None)):
    rows = await run(who, "point", problem_id)
    if not rows:
        raise HTTPException(404)
    etag = f'"{rows[0]["etag"]}"'
    if if_none_match == etag:
        return Response(status_code=304, headers={"ETag": etag})
    return answer(rows[0]["body"], ETag=etag)


@app.get("/v1/schools")
async def list_schools(
        status: List[Literal["operating", "closed"]] = Query(...),
        sort: Literal["ident_code"] = "ident_code",
        limit: int = Query(50, ge=1, le=200), who=Depends(principal)):
    rows = await run(who, "list", status, limit + 1)
    page, more = rows[:limit], len(rows) > limit
    cursor = None
    if more:
        cursor = base64.urlsafe_b64encode(
            f"{page[-1]['ident_code']},{page[-1]['id']}".encode()).decode()
    return answer('{"data":[%s],"page":%s}' % (
        ",".join(row["body"] for row in page),
        json.dumps({"limit": limit, "has_more": more, "next_cursor": cursor,
                    "prev_cursor": None, "total": None, "count": None})))


class Problem(BaseModel, extra=Extra.forbid):
    organization_id: uuid.UUID
    visit_id: Optional[uuid.UUID]
    category: str = Field(regex="^P[0-9]{2}$")
    severity: Literal["minor", "moderate", "major", "danger"]
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(min_length=1, max_length=4000)
    requirement: Optional[str] = Field(max_length=4000)


@app.post("/v1/problems")
async def create_problem(problem: Problem, who=Depends(principal)):
    [row] = await run(who, "create", problem.json(exclude_unset=True))
    return answer(row["body"], row["status"], Location=row["location"],
                  ETag=f'"{row["etag"]}"')
