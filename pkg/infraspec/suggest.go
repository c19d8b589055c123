package infraspec

import "fmt"

// nearEnough is the largest edit distance that counts as a typo.
const nearEnough = 2

// didYouMean returns a suffix that suggests the candidate nearest to got, or "" if none is close enough to be a typo.
func didYouMean(got string, candidates []string) string {
	best, bestDist := "", nearEnough+1
	for _, c := range candidates {
		if dist := EditDistance(got, c); dist < bestDist && isTypo(got, c) {
			best, bestDist = c, dist
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// isTypo reports whether got is close enough to want to be a mistyped form of it.
func isTypo(got, want string) bool {
	dist := EditDistance(got, want)
	return dist <= nearEnough && dist*2 <= len(want)
}

// EditDistance returns the Damerau-Levenshtein distance of a and b in bytes (optimal string alignment): swapping two
// neighbours counts as one edit.
func EditDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
