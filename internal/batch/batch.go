// Package batch runs a command for several apps side by side, each after the apps that it needs.
package batch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// App is one of the apps.
type App struct {
	Name, Path string   // Path is that of its infraspec
	Needs      []string // the names of the apps to run the command for before
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
	ended := map[string]chan struct{}{}
	for _, a := range apps {
		ended[a.Name] = make(chan struct{})
	}
	slots := make(chan struct{}, jobs)
	at := map[string]*Result{}
	for i, a := range apps {
		at[a.Name] = &results[i]
	}
	for i, a := range apps {
		results[i].App = a
		go func() {
			defer close(ended[a.Name])
			if results[i].Skipped = missing(ctx, a, ended, at); results[i].Skipped != "" {
				return
			}
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				results[i].Skipped = "interrupted"
				return
			}
			began := time.Now()
			results[i].Code = do(ctx, a)
			results[i].Took = time.Since(began)
		}()
	}
	for _, a := range apps {
		<-ended[a.Name]
	}
	return results
}

// missing waits for the apps that a needs. It returns why a cannot run, or "".
func missing(ctx context.Context, a App, ended map[string]chan struct{}, at map[string]*Result) string {
	for _, name := range a.Needs {
		if at[name] == nil || name == a.Name {
			continue
		}
		select {
		case <-ended[name]:
		case <-ctx.Done():
			return "interrupted"
		}
		if r := at[name]; r.Code != 0 || r.Skipped != "" {
			return fmt.Sprintf("it needs %s", name)
		}
	}
	return ""
}
