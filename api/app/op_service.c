/*
 * op_service.c -- the service's own pages: contract, documentation, problem
 * types, health and metrics.
 */
#include "app/ops.h"

#include <stdlib.h>
#include <string.h>

#include "app/request.h"
#include "base/config.h"
#include "base/metrics.h"
#include "base/parse.h"

static enum step_result reply_text(struct request *rq, int status,
    const char *media_type, const char *text, size_t len);
static enum step_result reply_json(struct request *rq, int status,
    json_t *owned_value);
static void on_contract_sent(void *arg);
static enum step_result on_probe(struct request *rq);

enum step_result
op_getOpenapi(struct request *rq)
{
	struct reply reply;

	request_reply_init(rq, &reply);
	reply.body = service.contract->json;
	reply.body_len = service.contract->json_len;
	reply.release = on_contract_sent;
	return (request_reply(rq, &reply));
}

static void
on_contract_sent(void *arg)
{
	(void)arg;
	contract_put_back(service.contract);
}

/* A page that works offline: it lists the operations from the contract. */
enum step_result
op_getDocs(struct request *rq)
{
	static const char page[] =
	    "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\">"
	    "<meta name=\"viewport\" content=\"width=device-width\">"
	    "<title>督导 · dudao API</title>"
	    "<style>body{font:16px/1.6 system-ui,sans-serif;max-width:60rem;"
	    "margin:2rem auto;padding:0 1rem}code{background:#f3f3f3;"
	    "padding:.1em .3em}h2{margin-top:2rem}summary{cursor:pointer}"
	    "pre{overflow:auto;background:#f3f3f3;padding:1rem}"
	    "b{display:inline-block;min-width:4.5rem}</style>"
	    "<h1>督导 · dudao API</h1><p>契约：<a href=\"/v1/openapi.json\">"
	    "<code>/v1/openapi.json</code></a> · 错误类型："
	    "<a href=\"/problems\"><code>/problems</code></a></p>"
	    "<main id=\"m\">…</main><script src=\"/docs?part=script\">"
	    "</script></html>";
	static const char script[] =
	    "fetch('/v1/openapi.json').then(r=>r.json()).then(d=>{"
	    "const m=document.getElementById('m');m.textContent='';"
	    "const el=(t,x,p)=>{const e=document.createElement(t);"
	    "if(x!==undefined)e.textContent=x;p.append(e);return e};"
	    "const by={};for(const[p,i]of Object.entries(d.paths))"
	    "for(const[v,o]of Object.entries(i))if(o.operationId){"
	    "const t=(o.tags||['-'])[0];(by[t]=by[t]||[]).push([v,p,o])}"
	    "for(const[t,l]of Object.entries(by)){el('h2',t,m);"
	    "for(const[v,p,o]of l){const b=el('details',undefined,m);"
	    "const s=el('summary',undefined,b);el('b',v.toUpperCase(),s);"
	    "el('code',p,s);el('span',' '+(o.summary||''),s);"
	    "el('p',o.description||'',b);"
	    "el('pre',JSON.stringify(o,null,1),b)}}});";

	if (request_param(rq, "part") != NULL)
		return (reply_text(rq, 200, "text/javascript; charset=utf-8",
		    script, sizeof(script) - 1));
	return (reply_text(rq, 200, "text/html; charset=utf-8", page,
	    sizeof(page) - 1));
}

/* The catalogue as an array, in its own order. */
enum step_result
op_listProblemTypes(struct request *rq)
{
	json_t *list = json_array(), *entry;
	const char *code;

	json_object_foreach(problem_catalogue(), code, entry) {
		json_t *item = json_pack("{s:s}", "code", code);

		(void)json_object_update(item, entry);
		(void)json_array_append_new(list, item);
	}
	return (reply_json(rq, 200, json_pack("{s:o}", "data", list)));
}

enum step_result
op_getProblemType(struct request *rq)
{
	const char *code = request_param(rq, "code");
	json_t *item;

	if (code == NULL || problem_entry(code) == NULL)
		return (request_problem_code(rq, "not-found"));
	item = json_pack("{s:s}", "code", code);
	(void)json_object_update(item, problem_entry(code));
	return (reply_json(rq, 200, item));
}

/* The process runs; nothing else is asked. */
enum step_result
op_getLivez(struct request *rq)
{
	return (reply_json(rq, 200,
	    json_pack("{s:s,s:s}", "status", "alive", "version",
		config_get()->build_version)));
}

/* The database answers and has a schema. */
enum step_result
op_getReadyz(struct request *rq)
{
	if (service.is_draining || !pgpool_is_ready(service.pool) ||
	    !pgpool_is_ready(service.slow_pool))
		return (request_problem_code(rq, "service-unavailable"));
	(void)request_add_step(rq, service.set_context_read);
	(void)request_add_step(rq, service.probe_schema);
	return (request_submit(rq, service.pool, on_probe));
}

static enum step_result
on_probe(struct request *rq)
{
	if (rq->job.outcome != PGJOB_DONE ||
	    PQntuples(request_last_result(rq)) != 1)
		return (request_problem_code(rq, "service-unavailable"));
	return (reply_json(rq, 200,
	    json_pack("{s:s,s:s}", "status", "ready", "version",
		config_get()->build_version)));
}

enum step_result
op_getMetrics(struct request *rq)
{
	struct buf *out = arena_alloc(rq->arena, sizeof(*out));

	buf_init(out);
	metrics_render(out);
	arena_on_free(rq->arena, (void (*)(void *))buf_fini, out);
	return (reply_text(rq, 200, "text/plain; version=0.0.4", out->data,
	    out->len));
}

static enum step_result
reply_text(struct request *rq, int status, const char *media_type,
    const char *text, size_t len)
{
	struct reply reply;

	request_reply_init(rq, &reply);
	reply.status = status;
	reply.media_type = media_type;
	reply.body = text;
	reply.body_len = len;
	return (request_reply(rq, &reply));
}

static enum step_result
reply_json(struct request *rq, int status, json_t *owned_value)
{
	char *text = json_dumps(owned_value, JSON_COMPACT);

	json_decref(owned_value);
	arena_on_free(rq->arena, free, text);
	return (reply_text(rq, status, "application/json", text, strlen(text)));
}
