package main

import (
	"encoding/json"
	"strings"
	"time"
)

// What docs/http.md allows. A field that is absent or null is nil.
type event struct {
	EventID     *string         `json:"event_id"`
	Timestamp   json.RawMessage `json:"timestamp"`
	Level       *string         `json:"level"`
	Message     *string         `json:"message"`
	Platform    *string         `json:"platform"`
	Environment *string         `json:"environment"`
	Release     *string         `json:"release"`
	ServerName  *string         `json:"server_name"`
	Logger      *string         `json:"logger"`
	Transaction *string         `json:"transaction"`
	SDKName     *string         `json:"sdk_name"`
	SDKVersion  *string         `json:"sdk_version"`
	Tags        json.RawMessage `json:"tags"`
	Exception   json.RawMessage `json:"exception"`
	Stacktrace  json.RawMessage `json:"stacktrace"`
	Breadcrumbs json.RawMessage `json:"breadcrumbs"`
	Extra       json.RawMessage `json:"extra"`
	User        json.RawMessage `json:"user"`
	UserContext json.RawMessage `json:"user_context"`
}

func optional(value json.RawMessage) *string {
	if len(value) == 0 || string(value) == "null" {
		return nil
	}
	text := string(value)
	return &text
}

func begins(value json.RawMessage, with string) bool {
	return len(value) == 0 || string(value) == "null" || strings.IndexByte(with, value[0]) >= 0
}

// Why an event is refused; empty when it is valid.
func (e *event) fault() string {
	if e.Message == nil || *e.Message == "" {
		return "missing required field: message"
	}
	if e.Level == nil {
		return "missing required field: level"
	}
	switch *e.Level {
	case "error", "warning", "info", "debug", "fatal":
	default:
		return "invalid level"
	}
	for _, value := range []json.RawMessage{e.Exception, e.Stacktrace, e.Breadcrumbs} {
		if !begins(value, "{[") {
			return "invalid field: must be an object or an array"
		}
	}
	for _, value := range []json.RawMessage{e.Tags, e.Extra, e.User, e.UserContext} {
		if !begins(value, "{") {
			return "invalid field: must be an object"
		}
	}
	return ""
}

func (e *event) time(received time.Time) (time.Time, error) {
	if len(e.Timestamp) == 0 || string(e.Timestamp) == "null" {
		return received, nil
	}
	if e.Timestamp[0] == '"' {
		return time.Parse(time.RFC3339Nano, string(e.Timestamp[1:len(e.Timestamp)-1]))
	}
	var seconds float64
	err := json.Unmarshal(e.Timestamp, &seconds)
	return time.UnixMicro(int64(seconds * 1e6)), err
}
