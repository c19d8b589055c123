package ui

import (
	"hash/fnv"
	"io"
	"regexp"
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// podColors are distinguishable on light and on dark backgrounds.
var podColors = []lipgloss.AdaptiveColor{
	{Light: "25", Dark: "75"}, {Light: "28", Dark: "78"}, {Light: "90", Dark: "176"},
	{Light: "130", Dark: "214"}, {Light: "30", Dark: "80"}, {Light: "125", Dark: "211"},
}

// prefix returns the name of a line's Pod, and its container if the Pod has several. The color depends on the Pod's
// name.
func (p *LogPrinter) prefix(from LogOrigin) string {
	name := from.Pod
	if p.terminal {
		name = p.shortName(from.Pod)
	}
	if from.Several {
		name += "/" + from.Container
	}
	if p.dim == "" {
		return name + " "
	}
	h := fnv.New32a()
	_, _ = io.WriteString(h, from.Pod)
	color := podColors[h.Sum32()%uint32(len(podColors))] //nolint:gosec // the number of colors fits
	return p.renderer.NewStyle().Foreground(color).Render(name) + " "
}

// generatedSuffix matches the last part of a pod name that a controller generated (k8s.io/apimachinery/pkg/util/rand).
var generatedSuffix = regexp.MustCompile(`^[bcdfghjklmnpqrstvwxz2456789]{5}$`)

// shortName returns the shortest end of a Pod's generated name that is not yet another Pod's short name. A Pod keeps
// its short name.
func (p *LogPrinter) shortName(pod string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	parts := strings.Split(pod, "-")
	names := []string{pod}
	if n := len(parts); n > 2 && generatedSuffix.MatchString(parts[n-1]) {
		names = []string{parts[n-1], parts[n-2] + "-" + parts[n-1], pod}
	}
	for _, name := range names {
		if owner, taken := p.shortNames[name]; !taken || owner == pod {
			p.shortNames[name] = pod
			return name
		}
	}
	return pod
}
