// Command beat is norn's sample worker. It has no port and prints a numbered line at each interval.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	interval, err := time.ParseDuration(os.Getenv("INTERVAL"))
	if err != nil || interval <= 0 {
		log.Fatalf("INTERVAL %q is not a duration such as 500ms", os.Getenv("INTERVAL"))
	}
	tick := time.NewTicker(interval)
	for n := 1; ; n++ {
		log.Printf("beat %d of version %s", n, os.Getenv("VERSION"))
		select {
		case <-ctx.Done():
			log.Print("stopping")
			return
		case <-tick.C:
		}
	}
}
