package ui

import (
	"fmt"
	"math"
	"strconv"
	"testing"
)

func TestParseColorFGBG(t *testing.T) {
	for described, want := range map[string]background{
		"15;0": darkBackground, "0;15": lightBackground, "0;default;7": lightBackground, "7;8": darkBackground,
		"12;default": unknownBackground, "0;99": unknownBackground, "": unknownBackground,
	} {
		if got := parseColorFGBG(described); got != want {
			t.Errorf("%q: %d, want %d", described, got, want)
		}
	}
}

func TestParseAnswers(t *testing.T) {
	for read, want := range map[string]struct {
		answer background
		typed  string
	}{
		"\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c":    {lightBackground, ""},
		"\x1b]11;rgb:fd/f6/e3\x07\x1b[?1;2c":              {lightBackground, ""},
		"\x1b]11;rgba:0000/2b2b/3636/ffff\x07\x1b[?6c":    {darkBackground, ""},
		"y\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\es\n\x1b[?1;2c": {darkBackground, "yes\n"},
		"\x1b[?6c":       {unknownBackground, ""},
		"\x1b[?6cls\x1b": {unknownBackground, "ls\x1b"},
		"":               {unknownBackground, ""},
	} {
		if answer, typed := parseAnswers([]byte(read)); answer != want.answer || string(typed) != want.typed {
			t.Errorf("%q: %d and %q, want %v", read, answer, typed, want)
		}
	}
}

// The neutral colors are readable on white and on black.
func TestNeutralColors(t *testing.T) {
	for _, c := range append([]color{green, red, orange, gray}, podColors...) {
		l := relativeLuminance(t, c.neutral)
		if onWhite, onBlack := 1.05/(l+0.05), (l+0.05)/0.05; math.Min(onWhite, onBlack) < 3.8 {
			t.Errorf("%s: contrast %.1f:1 on white, %.1f:1 on black", c.neutral, onWhite, onBlack)
		}
	}
}

// relativeLuminance returns the luminance of a color of the 256-color palette, by WCAG 2.
func relativeLuminance(t *testing.T, color string) float64 {
	t.Helper()
	n, err := strconv.Atoi(color)
	if err != nil || n < 16 || n > 255 {
		t.Fatal(fmt.Errorf("%q is not a color that all terminals show alike", color))
	}
	linear := func(n int) float64 {
		v := float64(n) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	if n >= 232 {
		return linear(8 + 10*(n-232))
	}
	cube := []int{0, 95, 135, 175, 215, 255}
	n -= 16
	return 0.2126*linear(cube[n/36]) + 0.7152*linear(cube[n/6%6]) + 0.0722*linear(cube[n%6])
}
