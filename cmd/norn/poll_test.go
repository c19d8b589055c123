package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// poller asks an app behind a Service again and again, through the API server's proxy.
type poller struct {
	stop    context.CancelFunc
	ended   chan struct{}
	mu      sync.Mutex
	asked   int
	refused []string
}

// poll start SERVICE | poll stop: between the two, every request must be answered well.
func (c *sessionCluster) poll(ts *testscript.TestScript, _ bool, args []string) {
	switch args[0] {
	case "start":
		target, transport, err := clusterOf(c.kubeconfig)
		ts.Check(err)
		ctx, cancel := context.WithCancel(context.Background())
		p := &poller{stop: cancel, ended: make(chan struct{})}
		url := fmt.Sprintf("%s/api/v1/namespaces/%s/services/%s:80/proxy/", target, ts.Getenv("NAMESPACE"), args[1])
		go p.run(ctx, &http.Client{Transport: transport, Timeout: 10 * time.Second}, url)
		ts.Defer(cancel)
		c.pollers.Store(ts.Getenv("NAMESPACE"), p)
	case "stop":
		found, ok := c.pollers.Load(ts.Getenv("NAMESPACE"))
		if !ok {
			ts.Fatalf("poll was not started")
		}
		p := found.(*poller)
		p.stop()
		<-p.ended
		ts.Logf("%d requests, %d failed", p.asked, len(p.refused))
		if p.asked < 20 || len(p.refused) > 0 {
			ts.Fatalf("%d requests, %d failed: %v", p.asked, len(p.refused), p.refused[:min(len(p.refused), 5)])
		}
	}
}

func (p *poller) run(ctx context.Context, client *http.Client, url string) {
	defer close(p.ended)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
		resp, err := client.Get(url)
		p.mu.Lock()
		p.asked++
		if err == nil && resp.StatusCode != http.StatusOK {
			body, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
			err = fmt.Errorf("%s at %s: %s", resp.Status, time.Now().Format(time.TimeOnly), body)
		}
		if err != nil {
			p.refused = append(p.refused, err.Error())
		} else {
			_, _ = io.Copy(io.Discard, resp.Body)
		}
		if resp != nil {
			_ = resp.Body.Close()
		}
		p.mu.Unlock()
	}
}
