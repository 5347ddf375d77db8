// B5 of `make bench`: what Mesher does with a single event, as a careful engineer writes it in Go. Keys are in memory. The rate
// limit is counted in Redis for all requests that wait, a script call a project, and events are stored by one statement and
// commit for all that wait: while one batch is on its way the next one gathers. A request is answered after its commit.
//
// Usage: intake SOCKET DATABASE_URL REDIS_SOCKET
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/jackc/pgx/v4"
)

const maxBody = 1 << 20

type project struct {
	id            int64
	limit, window int
}

type service struct {
	keys   atomic.Pointer[map[string]project]
	limits chan question
	rows   chan row
}

func (s *service) readKeys(connection *pgx.Conn) error {
	rows, err := connection.Query(context.Background(), `SELECT k.key, p.id, coalesce(p.rate_limit_events, 1000000000),
		coalesce(p.rate_limit_seconds, 60) FROM api_keys k JOIN projects p ON p.id = k.project_id WHERE k.revoked_at IS NULL`)
	if err != nil {
		return err
	}
	defer rows.Close()
	keys := map[string]project{}
	for rows.Next() {
		var key string
		var found project
		if err := rows.Scan(&key, &found.id, &found.limit, &found.window); err != nil {
			return err
		}
		keys[key] = found
	}
	s.keys.Store(&keys)
	return rows.Err()
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Access-Control-Allow-Origin"] = []string{"*"}
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	received := time.Now()
	_, key, _ := strings.Cut(r.Header.Get("X-Sentry-Auth"), "sentry_key=")
	key, _, _ = strings.Cut(key, ",")
	project, known := (*s.keys.Load())[key]
	if !known {
		answer(w, 401, `{"error":"unauthorized","reason":"unauthorized"}`)
		return
	}
	if r.ContentLength < 0 || r.ContentLength > maxBody {
		answer(w, 400, `{"error":"payload too large","reason":"payload_too_large"}`)
		return
	}
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return
	}
	asked := question{project, make(chan bool, 1)}
	s.limits <- asked
	if !<-asked.granted {
		answer(w, 429, `{"error":"rate limit exceeded","reason":"rate_limited"}`)
		return
	}
	found := new(event)
	if err := json.Unmarshal(body, found); err != nil {
		answer(w, 400, `{"error":"invalid JSON","reason":"invalid_json"}`)
		return
	}
	timestamp, err := found.time(received)
	if fault := found.fault(); fault != "" || err != nil {
		answer(w, 400, `{"error":"invalid event","reason":"invalid_field"}`)
		return
	}
	id := r.Header.Get("X-Request-ID")
	if found.EventID != nil {
		id = *found.EventID
	}
	one := row{project.id, id, received, timestamp, found, string(body), make(chan error, 1)}
	s.rows <- one
	if err := <-one.done; err != nil {
		w.Header().Set("Retry-After", "1")
		answer(w, 503, `{"error":"temporarily unavailable","reason":"unavailable"}`)
		return
	}
	answer(w, 202, `{"status":"accepted","id":"`+id+`"}`)
}

func connect(url string) *pgx.Conn {
	connection, err := pgx.Connect(context.Background(), url)
	if err != nil {
		log.Fatal(err)
	}
	return connection
}

func main() {
	// Most of what a request allocates is gone with it: fewer collections for some more memory.
	debug.SetGCPercent(400)
	s := &service{limits: make(chan question, 4096), rows: make(chan row, 4096)}
	keys := connect(os.Args[2])
	if err := s.readKeys(keys); err != nil {
		log.Fatal(err)
	}
	go func() {
		for range time.Tick(time.Second) {
			if err := s.readKeys(keys); err != nil {
				log.Print(err)
			}
		}
	}()
	counter, err := redis.Dial("unix", os.Args[3])
	if err != nil || limitScript.Load(counter) != nil {
		log.Fatal("Redis: ", err)
	}
	go s.count(counter)
	for i := 0; i < writers; i++ {
		connection := connect(os.Args[2])
		if _, err := connection.Prepare(context.Background(), "store", statement); err != nil {
			log.Fatal(err)
		}
		go s.write(connection)
	}
	os.Remove(os.Args[1])
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	os.Chmod(os.Args[1], 0666)
	server := &http.Server{Handler: s}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go func() { <-ended; server.Shutdown(context.Background()) }()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
