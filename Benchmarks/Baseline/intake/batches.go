package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/jackc/pgtype"
	"github.com/jackc/pgx/v4"
)

const (
	// Connections: one gathers while the others wait for the disk.
	writers  = 4
	maxBatch = 256
)

// Mesher's own: what is asked for, the limit and the window in; what is granted out.
var limitScript = redis.NewScript(1, os.Getenv("LIMIT_SCRIPT"))

const statement = `INSERT INTO public.peer_events (project_id, event_id, received_at, "timestamp", received_on, level, message,
	platform, environment, release, server_name, logger, transaction, sdk_name, sdk_version, tags, payload)
	SELECT a, b::uuid, c, d, (c AT TIME ZONE 'UTC')::date, e, f, g, h, i, j, k, l, m, n, o::jsonb, p::json
	FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
		$9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[])
		AS n(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
	ON CONFLICT DO NOTHING`

type row struct {
	project             int64
	id                  string
	received, timestamp time.Time
	event               *event
	payload             string
	done                chan error
}

type question struct {
	project project
	granted chan bool
}

// The first that comes, and what else is waiting.
func gather[T any](queue chan T, batch []T) []T {
	batch = append(batch[:0], <-queue)
	for len(batch) < maxBatch {
		select {
		case next := <-queue:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func (s *service) count(connection redis.Conn) {
	var batch []question
	for {
		batch = gather(s.limits, batch)
		waiting := map[project][]question{}
		for _, one := range batch {
			waiting[one.project] = append(waiting[one.project], one)
		}
		order := make([]project, 0, len(waiting))
		for who, all := range waiting {
			order = append(order, who)
			limitScript.SendHash(connection, fmt.Sprintf("peer:{%d}", who.id), len(all), who.limit, who.window*1000)
		}
		connection.Flush()
		for _, who := range order {
			answer, err := redis.Ints(connection.Receive())
			if err != nil {
				log.Fatal("Redis: ", err)
			}
			for i, one := range waiting[who] {
				one.granted <- i < answer[0]
			}
		}
	}
}

func texts(batch []row, value func(*row) *string) *pgtype.TextArray {
	elements := make([]pgtype.Text, len(batch))
	for i := range batch {
		if found := value(&batch[i]); found != nil {
			elements[i] = pgtype.Text{String: *found, Status: pgtype.Present}
		} else {
			elements[i] = pgtype.Text{Status: pgtype.Null}
		}
	}
	return &pgtype.TextArray{Elements: elements, Status: pgtype.Present,
		Dimensions: []pgtype.ArrayDimension{{Length: int32(len(batch)), LowerBound: 1}}}
}

// One statement, and so one commit.
func store(connection *pgx.Conn, batch []row) error {
	projects, received, timestamps := make([]int64, len(batch)), make([]time.Time, len(batch)), make([]time.Time, len(batch))
	for i, one := range batch {
		projects[i], received[i], timestamps[i] = one.project, one.received, one.timestamp
	}
	_, err := connection.Exec(context.Background(), "store", projects,
		texts(batch, func(r *row) *string { return &r.id }), received, timestamps,
		texts(batch, func(r *row) *string { return r.event.Level }), texts(batch, func(r *row) *string { return r.event.Message }),
		texts(batch, func(r *row) *string { return r.event.Platform }), texts(batch, func(r *row) *string { return r.event.Environment }),
		texts(batch, func(r *row) *string { return r.event.Release }), texts(batch, func(r *row) *string { return r.event.ServerName }),
		texts(batch, func(r *row) *string { return r.event.Logger }), texts(batch, func(r *row) *string { return r.event.Transaction }),
		texts(batch, func(r *row) *string { return r.event.SDKName }), texts(batch, func(r *row) *string { return r.event.SDKVersion }),
		texts(batch, func(r *row) *string { return optional(r.event.Tags) }),
		texts(batch, func(r *row) *string { return &r.payload }))
	return err
}

func (s *service) write(connection *pgx.Conn) {
	var batch []row
	for {
		batch = gather(s.rows, batch)
		err := store(connection, batch)
		for i, one := range batch {
			// An event that PostgreSQL refuses must not fail the others.
			if err != nil && len(batch) > 1 {
				one.done <- store(connection, batch[i:i+1])
			} else {
				one.done <- err
			}
		}
	}
}
