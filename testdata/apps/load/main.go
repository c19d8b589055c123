// Command load asks a URL again and again and counts the answers. Without arguments it is a server that answers with the
// name of its host, which is the pod's, so that the count tells the pods apart.
//
//	load [--keepalive=false] [--workers 4] [--every 10ms] [--for 10s | --requests 1000] URL
//
// It ends early on SIGINT and SIGTERM, prints the count as one JSON object, and exits with 1 if a request failed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if len(os.Args) == 1 {
		serve(ctx)
		return
	}
	var l load
	flag.BoolVar(&l.keepAlive, "keepalive", true, "one connection for many requests; false opens one for each")
	flag.StringVar(&l.host, "host", "", "Host header, where it differs from the URL's")
	flag.IntVar(&l.workers, "workers", 4, "requests at a time")
	flag.DurationVar(&l.every, "every", 10*time.Millisecond, "pause of each worker between two requests")
	flag.DurationVar(&l.limit, "for", 10*time.Second, "how long it asks")
	flag.IntVar(&l.requests, "requests", 0, "end after this many requests; 0 for no such end")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: load [flags] URL")
	}
	count := l.run(ctx, flag.Arg(0))
	if err := json.NewEncoder(os.Stdout).Encode(count); err != nil {
		log.Fatal(err)
	}
	if len(count.Failed) > 0 || count.Asked == 0 {
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

// serve answers until ctx ends. A request that is under way is answered to its end.
func serve(ctx context.Context) {
	name, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Addr: ":" + os.Getenv("PORT"), ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, name) }),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		_ = server.Shutdown(context.WithoutCancel(ctx))
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-ended
}

// load is what is asked, and how.
type load struct {
	keepAlive bool
	host      string
	workers   int
	every     time.Duration
	limit     time.Duration
	requests  int
}

// count is what came of it.
type count struct {
	mu       sync.Mutex
	Asked    int            `json:"asked"`
	Answered map[string]int `json:"answered"`         // by the first line of an answer with status 200
	Failed   map[string]int `json:"failed,omitempty"` // by status or error
}

func (l *load) run(ctx context.Context, url string) *count {
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	c := &count{Answered: map[string]int{}, Failed: map[string]int{}}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: !l.keepAlive, MaxIdleConnsPerHost: l.workers,
	}}
	var workers sync.WaitGroup
	for range l.workers {
		workers.Go(func() {
			for ctx.Err() == nil && c.next(l.requests) {
				// A request that is under way when the time is over is finished.
				c.add(ask(context.WithoutCancel(ctx), client, url, l.host))
				select {
				case <-ctx.Done():
				case <-time.After(l.every):
				}
			}
		})
	}
	workers.Wait()
	return c
}

// next takes the next request, if there is one left.
func (c *count) next(limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if limit > 0 && c.Asked >= limit {
		return false
	}
	c.Asked++
	return true
}

func (c *count) add(answer string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.Failed[err.Error()]++
	} else {
		c.Answered[answer]++
	}
}

func ask(ctx context.Context, client *http.Client, url, host string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	if host != "" {
		req.Host = host
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(body), "\n")
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", resp.Status, line)
	}
	return line, nil
}
