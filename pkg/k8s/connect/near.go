package connect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// The most contexts that a message lists, and the most that it suggests.
const (
	listedContexts    = 10
	suggestedContexts = 3
)

// contextsNear describes the contexts of a kubeconfig to a user who asked for name: all of them, or their number and
// the most similar ones.
func contextsNear(name string, contexts map[string]*clientcmdapi.Context) string {
	names := slices.Sorted(maps.Keys(contexts))
	switch {
	case len(names) == 0:
		return "its contexts: none"
	case len(names) <= listedContexts:
		return "its contexts: " + strings.Join(names, ", ")
	}
	near := similar(name, names)
	text := fmt.Sprintf("it has %d contexts", len(names))
	if len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return text
}

// similar returns the names most similar to name, which contain it or differ in few letters.
func similar(name string, names []string) []string {
	if name == "" {
		return nil
	}
	name = strings.ToLower(name)
	distance := map[string]int{}
	var near []string
	for _, n := range names {
		d := editDistance(name, strings.ToLower(n))
		if strings.Contains(strings.ToLower(n), name) {
			d = min(d, 2)
		}
		if d <= max(1, min(len(name), len(n))/3) || d <= 2 && len(name) > 3 {
			near, distance[n] = append(near, n), d
		}
	}
	slices.SortStableFunc(near, func(a, b string) int { return distance[a] - distance[b] })
	return near[:min(len(near), suggestedContexts)]
}

// editDistance returns the Levenshtein distance of a and b in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
