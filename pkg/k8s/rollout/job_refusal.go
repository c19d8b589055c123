package rollout

// DescribeRefusal returns why a Job cannot create its Pod, given the Job's warning, and on a second line what to do
// about it. place returns where the infraspec sets a key; see Refusal.Hint. A nil place knows no infraspec.
func DescribeRefusal(warning string, place func(key string) string) string {
	text := "it cannot create its Pod: " + warning
	if !refusal.MatchString(warning) {
		return text
	}
	if place == nil {
		place = func(string) string { return "" }
	}
	return text + "\n" + ParseRefusal(warning).Hint(place)
}
