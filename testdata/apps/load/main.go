// Command load sends requests to a URL and counts the answers. Without arguments, it is a server that answers with its
// host name. In a Pod, that is the Pod's name, so the client counts the answers of each Pod.
//
//	load [--keepalive=false] [--workers 4] [--every 10ms] [--for 10s | --requests 1000] [--stdin] [--ca FILE] URL
//
// With --host, a URL may have the address of a gateway: the name is in the Host header and in the TLS handshake.
//
// It prints the count as a JSON object, and exits with 1 if a request failed. SIGINT and SIGTERM end it early, and with
// --stdin, the end of standard input does so too: kubectl exec passes on no signals.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
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
	flag.BoolVar(&l.keepAlive, "keepalive", true, "reuse connections; false opens a connection for each request")
	flag.StringVar(&l.host, "host", "", "Host header (default: the host of the URL)")
	flag.StringVar(&l.ca, "ca", "", "file with the certificate authority of an https URL")
	flag.IntVar(&l.workers, "workers", 4, "number of concurrent requests")
	flag.DurationVar(&l.every, "every", 10*time.Millisecond, "pause of a worker between requests")
	flag.DurationVar(&l.limit, "for", 10*time.Second, "time limit")
	flag.IntVar(&l.requests, "requests", 0, "number of requests; 0 for no limit")
	stdin := flag.Bool("stdin", false, "end when standard input ends")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: load [flags] URL")
	}
	if *stdin {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // an error is the end, too
			stop()
		}()
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

// serve answers until ctx ends. It finishes requests in progress.
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

// load holds the settings.
type load struct {
	keepAlive bool
	host      string
	ca        string
	workers   int
	every     time.Duration
	limit     time.Duration
	requests  int
}

// count is the result.
type count struct {
	mu       sync.Mutex
	Asked    int            `json:"asked"`
	Answered map[string]int `json:"answered"`         // keys are first lines of answers with status 200
	Failed   map[string]int `json:"failed,omitempty"` // keys are statuses or errors
}

func (l *load) run(ctx context.Context, url string) *count {
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	c := &count{Answered: map[string]int{}, Failed: map[string]int{}}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: !l.keepAlive, MaxIdleConnsPerHost: l.workers, TLSClientConfig: l.tls(),
	}}
	var workers sync.WaitGroup
	for range l.workers {
		workers.Go(func() {
			for ctx.Err() == nil && c.next(l.requests) {
				// Finish a request that is in progress at the end.
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

// tls returns the settings of TLS: the name of the host, and who signs its certificate.
func (l *load) tls() *tls.Config {
	if l.ca == "" {
		return nil
	}
	data, err := os.ReadFile(l.ca)
	if err != nil {
		log.Fatal(err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(data) {
		log.Fatalf("%s has no certificate", l.ca)
	}
	return &tls.Config{ServerName: l.host, RootCAs: authorities, MinVersion: tls.VersionTLS12}
}

// next counts the next request. It returns false if the limit is reached.
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
