package batch

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

func apps(list string) []App {
	var all []App
	for one := range strings.FieldsSeq(list) {
		name, needs, _ := strings.Cut(one, ":")
		all = append(all, App{Name: name, Needs: strings.FieldsFunc(needs, func(r rune) bool { return r == ',' })})
	}
	return all
}

func TestOrdered(t *testing.T) {
	for list, want := range map[string]string{
		"a b c":             "a b c",
		"web:api api:db db": "db api web",
		"a:gone b":          "a b",
		"a:a b":             "a b",
		"a:b b:c c:a d":     "",
	} {
		got, err := Ordered(apps(list))
		var names []string
		for _, a := range got {
			names = append(names, a.Name)
		}
		if _, cycle := errors.AsType[*CycleError](err); cycle != (want == "") || strings.Join(names, " ") != want {
			t.Errorf("%s: %q, %v", list, names, err)
		}
	}
}

// An app runs after the apps that it needs, side by side with the others, and not at all if one of them fails.
func TestRun(t *testing.T) {
	ordered, err := Ordered(apps("web:api api:db db lone broken after:broken later:after"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var order []string
	running, most := 0, 0
	both := make(chan struct{})
	results := Run(t.Context(), ordered, 2, func(_ context.Context, a App) int {
		mu.Lock()
		order = append(order, a.Name)
		running++
		if most = max(most, running); running == 2 && most == 2 {
			select {
			case <-both:
			default:
				close(both)
			}
		}
		mu.Unlock()
		<-both // the first waits for a second one beside it
		mu.Lock()
		defer mu.Unlock()
		running--
		if a.Name == "broken" {
			return 4
		}
		return 0
	})
	if most != 2 {
		t.Errorf("%d at a time", most)
	}
	if slices.Index(order, "db") > slices.Index(order, "api") || slices.Index(order, "api") > slices.Index(order, "web") {
		t.Errorf("%q", order)
	}
	for _, r := range results {
		skipped := map[string]string{"after": "it needs broken", "later": "it needs after"}[r.Name]
		if r.Skipped != skipped || (r.Code != 0) != (r.Name == "broken") {
			t.Errorf("%+v", r)
		}
	}
}

func TestInterruptedRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	results := Run(ctx, apps("a b c:b"), 1, func(context.Context, App) int { cancel(); return 130 })
	ran := 0
	for _, r := range results {
		if r.Skipped == "" {
			ran++
		}
	}
	if ran != 1 {
		t.Errorf("%+v", results)
	}
}
