// Package batch runs a command for several apps side by side, each after the apps that it needs.
package batch

import (
	"context"
	"slices"
	"strings"
	"time"
)

// App is one of the apps.
type App struct {
	Name, Path string   // Path is that of its infraspec
	Needs      []string // the names of the apps to run the command for before
	Flags      []string // further flags of the command for the app
}

// Result is how the command ended for an app.
type Result struct {
	App
	Code    int           // the exit code
	Took    time.Duration // 0 if the command did not run
	Skipped string        // why the command did not run, or ""
}

// CycleError reports apps that need each other.
type CycleError struct{ Names []string }

// Error names the apps.
func (e *CycleError) Error() string {
	return "these apps need each other: " + strings.Join(e.Names, ", ")
}

// Hint returns advice.
func (e *CycleError) Hint() string { return "remove one of them from the needs of another" }

// Ordered returns the apps so that each is after the apps that it needs, and otherwise in their order. An app that is
// needed and not among apps does not matter. The error is a *CycleError.
func Ordered(apps []App) ([]App, error) {
	var done []App
	rest := slices.Clone(apps)
	for len(rest) > 0 {
		i := slices.IndexFunc(rest, func(a App) bool {
			return !slices.ContainsFunc(a.Needs, func(name string) bool { return has(rest, name) && name != a.Name })
		})
		if i < 0 {
			var names []string
			for _, a := range rest {
				names = append(names, a.Name)
			}
			return nil, &CycleError{names}
		}
		done, rest = append(done, rest[i]), slices.Delete(rest, i, i+1)
	}
	return done, nil
}

func has(apps []App, name string) bool {
	return slices.ContainsFunc(apps, func(a App) bool { return a.Name == name })
}

// Run calls do for each app, for at most jobs at a time, and returns the results in the order of apps. An app begins
// once do has returned 0 for all apps that it needs. If do fails for one of them, the app is skipped. When ctx ends, no
// more apps begin. The apps must be in the order of Ordered.
func Run(ctx context.Context, apps []App, jobs int, do func(context.Context, App) int) []Result {
	results := make([]Result, len(apps))
	waiting := make([]*Result, len(apps))
	ended := map[string]*Result{}
	for i, a := range apps {
		results[i].App = a
		waiting[i] = &results[i]
	}
	ends := make(chan *Result)
	for running := 0; len(waiting) > 0 || running > 0; {
		next := slices.IndexFunc(waiting, func(r *Result) bool { return r.ready(apps, ended) })
		if next < 0 || running == jobs {
			r := <-ends
			ended[r.Name] = r
			running--
			continue
		}
		r := waiting[next]
		waiting = slices.Delete(waiting, next, next+1)
		if r.Skipped = r.why(ctx, ended); r.Skipped != "" {
			ended[r.Name] = r
			continue
		}
		running++
		go func() {
			began := time.Now()
			r.Code = do(ctx, r.App)
			r.Took = time.Since(began)
			ends <- r
		}()
	}
	return results
}

// ready reports whether all apps that r needs have ended.
func (r *Result) ready(apps []App, ended map[string]*Result) bool {
	return !slices.ContainsFunc(r.Needs, func(name string) bool {
		return has(apps, name) && name != r.Name && ended[name] == nil
	})
}

// why returns why the command cannot run for the app, or "".
func (r *Result) why(ctx context.Context, ended map[string]*Result) string {
	if ctx.Err() != nil {
		return "interrupted"
	}
	for _, name := range r.Needs {
		if n := ended[name]; n != nil && (n.Code != 0 || n.Skipped != "") {
			return "it needs " + name
		}
	}
	return ""
}
