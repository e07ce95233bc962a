// The peer in Go: net/http and pgx, one process with GOMAXPROCS=2, eight
// connections, a line of log a request. Tokens are verified (ES256) and kept
// with their principal until they expire.
package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

type session struct {
	expires   time.Time
	principal [3]string
}

type claims struct {
	SessionID string `json:"sid"`
	jwt.RegisteredClaims
}

var (
	statements map[string]string
	key        *ecdsa.PublicKey
	pool       *pgxpool.Pool
	sessions   sync.Map
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func authenticate(r *http.Request) (*session, bool) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if kept, found := sessions.Load(token); found {
		if kept := kept.(*session); kept.expires.After(time.Now()) {
			return kept, true
		}
	}
	var c claims
	_, err := jwt.ParseWithClaims(token, &c,
		func(*jwt.Token) (interface{}, error) { return key, nil },
		jwt.WithValidMethods([]string{"ES256"}))
	if err != nil || !c.VerifyIssuer(os.Getenv("ISSUER"), true) ||
		!c.VerifyAudience("dudao-api", true) {
		return nil, false
	}
	made := &session{expires: c.ExpiresAt.Time}
	var organization *string
	err = pool.QueryRow(r.Context(),
		"select user_id::text, roles, organization_id::text from ("+
			statements["authenticate"]+") as p", c.SessionID).
		Scan(&made.principal[0], &made.principal[1], &organization)
	if err != nil {
		return nil, false
	}
	if organization != nil {
		made.principal[2] = *organization
	}
	sessions.Store(token, made)
	return made, true
}

// query runs the statement as the principal: a batch is one transaction.
func query(ctx context.Context, s *session, name string,
	each func(pgx.Rows) error, values ...interface{}) error {
	batch := &pgx.Batch{}
	batch.Queue(statements["principal"],
		s.principal[0], s.principal[1], s.principal[2])
	batch.Queue(statements[name], values...)
	results := pool.SendBatch(ctx, batch)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func fail(w http.ResponseWriter, status int) {
	http.Error(w, http.StatusText(status), status)
}

func readProblem(w http.ResponseWriter, r *http.Request, s *session) {
	var body, etag string
	id := strings.TrimPrefix(r.URL.Path, "/v1/problems/")
	err := query(r.Context(), s, "point", func(rows pgx.Rows) error {
		return rows.Scan(&body, &etag)
	}, id)
	switch etag = `"` + etag + `"`; {
	case err != nil:
		fail(w, http.StatusInternalServerError)
	case body == "":
		fail(w, http.StatusNotFound)
	case r.Header.Get("If-None-Match") == etag:
		w.Header().Set("ETag", etag)
		w.WriteHeader(http.StatusNotModified)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", etag)
		w.Write([]byte(body))
	}
}

func listSchools(w http.ResponseWriter, r *http.Request, s *session) {
	given := r.URL.Query()
	limit, err := strconv.Atoi(given.Get("limit"))
	if err != nil || limit < 1 || limit > 200 ||
		given.Get("sort") != "ident_code" || len(given["status"]) == 0 {
		fail(w, http.StatusBadRequest)
		return
	}
	var out bytes.Buffer
	var body, code, id string
	var cursor *string
	count := 0
	out.WriteString(`{"data":[`)
	err = query(r.Context(), s, "list", func(rows pgx.Rows) error {
		if count++; count > limit {
			text := base64.RawURLEncoding.EncodeToString(
				[]byte(code + "," + id))
			cursor = &text
			return nil
		}
		if count > 1 {
			out.WriteByte(',')
		}
		if err := rows.Scan(&body, &code, &id); err != nil {
			return err
		}
		out.WriteString(body)
		return nil
	}, given["status"], limit+1)
	if err != nil {
		fail(w, http.StatusInternalServerError)
		return
	}
	page, _ := json.Marshal(map[string]interface{}{
		"limit": limit, "has_more": count > limit, "next_cursor": cursor,
		"prev_cursor": nil, "total": nil, "count": nil})
	fmt.Fprintf(&out, `],"page":%s}`, page)
	w.Header().Set("Content-Type", "application/json")
	w.Write(out.Bytes())
}

type problem struct {
	OrganizationID string  `json:"organization_id"`
	VisitID        *string `json:"visit_id,omitempty"`
	Category       string  `json:"category"`
	Severity       string  `json:"severity"`
	Title          string  `json:"title"`
	Description    string  `json:"description"`
	Requirement    *string `json:"requirement,omitempty"`
}

func createProblem(w http.ResponseWriter, r *http.Request, s *session) {
	var given problem
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&given) != nil || given.OrganizationID == "" ||
		given.Title == "" || given.Description == "" {
		fail(w, http.StatusUnprocessableEntity)
		return
	}
	text, _ := json.Marshal(given)
	var status int
	var location, etag, body string
	err := query(r.Context(), s, "create", func(rows pgx.Rows) error {
		return rows.Scan(&status, &location, &etag, &body)
	}, string(text))
	if err != nil {
		fail(w, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", location)
	w.Header().Set("ETag", `"`+etag+`"`)
	w.WriteHeader(status)
	w.Write([]byte(body))
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

type handler func(http.ResponseWriter, *http.Request, *session)

// on answers requests of one method whose token is good, and logs them.
func on(method, path string, handle handler) {
	prefix := "/" + method
	http.HandleFunc(prefix+path, func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, prefix)
		started := time.Now()
		out := &statusWriter{w, http.StatusOK}
		if s, ok := authenticate(r); ok {
			handle(out, r, s)
		} else {
			fail(out, http.StatusUnauthorized)
		}
		log.Printf("%s %s %d %s", r.Method, r.URL, out.status,
			time.Since(started))
	})
}

func main() {
	text, err := os.ReadFile(os.Getenv("STATEMENTS"))
	must(err)
	must(json.Unmarshal(text, &statements))
	text, err = os.ReadFile(os.Getenv("PUBLIC_KEY"))
	must(err)
	key, err = jwt.ParseECPublicKeyFromPEM(text)
	must(err)
	pool, err = pgxpool.Connect(context.Background(), "pool_max_conns=8")
	must(err)
	on("GET", "/v1/problems/", readProblem)
	on("GET", "/v1/schools", listSchools)
	on("POST", "/v1/problems", createProblem)
	byMethod := func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/" + r.Method + r.URL.Path
		http.DefaultServeMux.ServeHTTP(w, r)
	}
	must(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"),
		http.HandlerFunc(byMethod)))
}
