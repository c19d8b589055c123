package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Absence returns why a file of the user's checkout is not in t. It returns "" if t is not a version of that
// checkout. path is relative to dir.
func (t Tree) Absence(ctx context.Context, dir, path string) string {
	if t.top == "" {
		return ""
	}
	git := gitIn(dir)
	if _, err := git(ctx, "check-ignore", "--quiet", "--", path); err == nil {
		return "git ignores it, so it is not in " + t.Describe()
	}
	if _, err := git(ctx, "ls-files", "--error-unmatch", "--", ":(literal)"+path); err != nil {
		return "it is not committed, so it is not in " + t.Describe()
	}
	return "it is not in " + t.Describe()
}

// Recreate returns shell commands that lay out t's source in folder to, and the app's folder there. For uncommitted
// changes, it returns no commands and the user's own folder.
func (t Tree) Recreate(to string) (commands []string, dir string) {
	if t.Dirty {
		return nil, t.own
	}
	quoted := Quote(to)
	if t.top != "" {
		commands = append(commands, fmt.Sprintf("git -C %s worktree add %s %s", Quote(t.top), quoted, t.Tag()))
	} else {
		commands = append(commands, fmt.Sprintf("git clone %s %s", Quote(t.origin), quoted),
			fmt.Sprintf("git -C %s checkout %s", quoted, t.Tag()))
	}
	if _, err := os.Stat(filepath.Join(t.Copied, ".gitmodules")); err == nil {
		commands = append(commands, fmt.Sprintf("git -C %s submodule update --init --recursive", quoted))
	}
	folder, err := filepath.Rel(t.Copied, t.Dir)
	if err != nil {
		folder = "."
	}
	return commands, filepath.Join(to, folder)
}

// Quote returns a text as a word of a POSIX shell.
func Quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@,+%"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
