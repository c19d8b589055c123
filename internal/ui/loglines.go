package ui

import (
	"hash/fnv"
	"io"

	"github.com/charmbracelet/lipgloss"
)

// podColors are told apart on light and dark backgrounds alike.
var podColors = []lipgloss.AdaptiveColor{
	{Light: "25", Dark: "75"}, {Light: "28", Dark: "78"}, {Light: "90", Dark: "176"},
	{Light: "130", Dark: "214"}, {Light: "30", Dark: "80"}, {Light: "125", Dark: "211"},
}

// LogPrefix returns a function that makes the prefix of a pod's lines: in a colour of the pod's own on a terminal, plain elsewhere.
func LogPrefix(w io.Writer) func(pod string) string {
	r := newRenderer(w)
	return func(pod string) string {
		h := fnv.New32a()
		_, _ = io.WriteString(h, pod)
		color := podColors[h.Sum32()%uint32(len(podColors))] //nolint:gosec // six colours fit
		return r.NewStyle().Foreground(color).Render(pod) + " "
	}
}
