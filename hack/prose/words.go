package main

import (
	"regexp"
	"strings"
)

// rule is a word or phrase that norn's texts avoid.
type rule struct {
	pattern *regexp.Regexp
	right   *regexp.Regexp // a match of pattern that this also matches is good English; nil: none is
	instead string
}

// avoid returns a rule for whole words, in either case. A space in words stands for any space, line breaks
// included.
func avoid(words, instead string) rule {
	spaced := strings.ReplaceAll(words, " ", `\s+`)
	return rule{pattern: regexp.MustCompile(`(?i)\b(?:` + spaced + `)\b`), instead: instead}
}

// unless returns the rule with an exception.
func (r rule) unless(right string) rule {
	r.right = regexp.MustCompile(`(?i)` + strings.ReplaceAll(right, " ", `\s+`))
	return r
}

// rules are applied to every passage, in this order.
var rules = []rule{
	// Who does what is not said.
	avoid(`(?:is|are|was|were|be|been|being) told(?: \w+)?`, `who reports it: "norn prints", "norn warns about"`).
		unless(`told apart$`),
	avoid(`tells? of|told of`, `"reports" or "warns about"`),

	// A clause stands in for a noun.
	avoid(`what there (?:is|are|was)`, "the noun"),
	avoid(`what (?:it|he|she|they|norn) ha(?:s|ve|d)`, "the noun"),
	avoid(`where there (?:is|are)(?: (?:no|none))?`, `"if … exists", "with" or "without"`),
	avoid(`those that`, "the noun"),
	avoid(`(?:it is )?that one's`, "the noun"),
	avoid(`(?:of|for) what is|by what (?:is|it)`, "the noun"),

	// Errors and denials.
	avoid(`(?:cannot|could not) be understood`, `"invalid NAME VALUE"`),
	avoid(`cannot be had`, `"is not available"`),
	avoid(`(?:there )?(?:is|are|was|were) (?:no|none)(?: \w+)?`, `"is not a …", or what it is`).
		unless(`^there|no (?:longer|more|less|fewer|later|earlier|better|worse|different)$`),
	avoid(`(?:is|are) not norn's`, `"is not managed by norn"`),
	avoid(`wants`, `"needs", "requires" or "expects"`),
	avoid(`may not`, `"must not", "cannot" or "might not"`),
	avoid(`otherwise than`, `"differently from"`),

	// Old words.
	avoid(`anew|afresh`, `"again" or "new"`),
	avoid(`besides`, `"also" or "in addition to"`),
	avoid(`mend(?:s|ed|ing)?`, `"fix"`),
	avoid(`bears?|bore|borne`, `"have", "carry" or "tolerate"`),
	avoid(`all the same`, `"even if" or "anyway"`),
	avoid(`lest|whence|thence|whilst|thereof|therein|thereupon|whereof|wherein|whereupon|hitherto`, "a modern word"),
	avoid(`(?:take|takes|took|taken|taking)(?: \w+){0,2} away`, `"remove"`),
	avoid(`(?:leave|leaves|left|leaving)(?: [\w.-]+){1,3} out`, `"skip" or "omit"`),

	// Words that mean something only in this repository.
	avoid(`stray(?:s|ed)?|settl(?:e|es|ed|ing)|glances?|witness(?:es)?|veils?|in vain|tellers?`, "the field's word"),
}
