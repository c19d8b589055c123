package logs

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s/rollout"
)

// workload is what a watch has seen of one workload of the app.
type workload struct {
	name string
	rollout.Observation
}

// observe watches the app's workloads. It calls see with every new state, once it has seen each of them, until see is
// done, returns an error, or ctx ends.
func (s *session) observe(ctx context.Context, see func([]workload) (done bool, err error)) error {
	names := s.opts.Workloads
	if len(names) == 0 {
		names = []string{s.opts.App}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu      sync.Mutex
		states  = make([]workload, len(names))
		unseen  = len(names)
		ended   bool
		result  error
		running sync.WaitGroup
	)
	end := func(err error) { // with mu held
		if !ended {
			ended, result = true, err
			cancel()
		}
	}
	for i, name := range names {
		running.Go(func() {
			err := s.cluster.Observe(ctx, s.opts.Namespace, s.opts.App, name, func(o rollout.Observation) (bool, error) {
				mu.Lock()
				defer mu.Unlock()
				if states[i].name == "" {
					unseen--
				}
				states[i] = workload{name, o}
				if !ended && unseen == 0 {
					if done, err := see(states); done || err != nil {
						end(err)
					}
				}
				return ended, nil
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				end(err)
			}
		})
	}
	running.Wait()
	return result
}

// podsIn returns the Pods of all workloads.
func podsIn(seen []workload) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, w := range seen {
		pods = append(pods, w.Pods...)
	}
	return pods
}
