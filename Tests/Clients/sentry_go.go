// Sends an exception, a message and a transaction with sentry-go, and prints the ids of its events as JSON. Argument: the DSN.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"
	"time"

	"github.com/getsentry/sentry-go"
)

func main() {
	err := sentry.Init(sentry.ClientOptions{
		Dsn: os.Args[1], Release: "shop@1.2.3", Environment: "staging", ServerName: "web-1", TracesSampleRate: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	ids := map[string]string{}
	sentry.ConfigureScope(func(scope *sentry.Scope) {
		scope.SetTags(map[string]string{"region": "eu", "shard": "7"})
	})
	ids["exception"] = string(*sentry.CaptureException(errors.New("missing")))
	sentry.WithScope(func(scope *sentry.Scope) {
		scope.SetLevel(sentry.LevelWarning)
		ids["message"] = string(*sentry.CaptureMessage("It broke: ünïcödé"))
	})
	sentry.StartSpan(context.Background(), "task", sentry.TransactionName("nightly")).Finish()
	if !sentry.Flush(10 * time.Second) {
		log.Fatal("not all was sent")
	}
	json.NewEncoder(os.Stdout).Encode(ids)
}
