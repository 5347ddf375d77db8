// Sends an exception and a message with raven-go, and prints the ids of its events as JSON. Argument: the DSN.
package main

import (
	"encoding/json"
	"errors"
	"log"
	"os"

	"github.com/getsentry/raven-go"
)

func main() {
	client, err := raven.NewWithTags(os.Args[1], map[string]string{"region": "eu", "shard": "7"})
	if err != nil {
		log.Fatal(err)
	}
	client.SetRelease("shop@1.2.3")
	client.SetEnvironment("staging")
	ids := map[string]string{}
	send := func(name string, packet *raven.Packet) {
		packet.ServerName = "web-1"
		id, sent := client.Capture(packet, nil)
		if err := <-sent; err != nil {
			log.Fatal(err)
		}
		ids[name] = id
	}
	cause := errors.New("missing")
	send("exception", raven.NewPacket(cause.Error(), raven.NewException(cause, raven.NewStacktrace(0, 0, nil))))
	message := raven.NewPacket("It broke: ünïcödé", &raven.Message{Message: "It broke: %s", Params: []interface{}{"ünïcödé"}})
	message.Level = raven.WARNING
	send("message", message)
	json.NewEncoder(os.Stdout).Encode(ids)
}
