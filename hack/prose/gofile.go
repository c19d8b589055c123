package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// goPassages returns the comments of a Go file and, unless it is a test, its string literals. Literals joined by
// + are one passage.
func goPassages(name string, text []byte) ([]passage, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var passages []passage
	for _, group := range file.Comments {
		for _, part := range group.List { // a group's parts follow each other line by line
			passages = append(passages, passage{uncomment(part.Text), set.Position(part.Pos()).Line})
		}
	}
	passages = joined(passages)
	if isTest(name) {
		return passages, nil
	}
	literals := &literals{lines: set}
	ast.Walk(literals, file)
	return append(passages, literals.passages...), nil
}

// isTest reports whether a file's strings are expectations rather than messages.
func isTest(name string) bool {
	return strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "test/")
}

// uncomment removes the marks of a comment.
func uncomment(text string) string {
	if line, ok := strings.CutPrefix(text, "//"); ok {
		return line
	}
	return strings.TrimSuffix(strings.TrimPrefix(text, "/*"), "*/")
}

// joined makes one passage of comments on consecutive lines.
func joined(parts []passage) []passage {
	var whole []passage
	for _, p := range parts {
		if last := len(whole) - 1; last >= 0 && whole[last].line+strings.Count(whole[last].text, "\n")+1 == p.line {
			whole[last].text += "\n" + p.text
			continue
		}
		whole = append(whole, p)
	}
	return whole
}

// literals collects the strings of a syntax tree.
type literals struct {
	lines    *token.FileSet
	passages []passage
}

// Visit implements ast.Visitor.
func (l *literals) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.ImportSpec:
		return nil
	case *ast.Field: // its tag is not prose
		ast.Walk(l, n.Type)
		return nil
	case *ast.BinaryExpr:
		if n.Op == token.ADD {
			l.sum(n)
			return nil
		}
	case *ast.BasicLit:
		if n.Kind == token.STRING {
			l.passages = append(l.passages, passage{l.text(n), l.lines.Position(n.Pos()).Line})
		}
	}
	return l
}

// text returns a literal's value. A line break in it is one of the file's only in a raw string.
func (l *literals) text(n *ast.BasicLit) string {
	text, err := strconv.Unquote(n.Value)
	if err != nil {
		return ""
	}
	if n.Value[0] != '`' {
		text = strings.ReplaceAll(text, "\n", " ")
	}
	return text
}

// other stands for the operand of a sum that is not a literal.
const other = "…"

// sum makes one passage of a sum's literals.
func (l *literals) sum(n *ast.BinaryExpr) {
	p := passage{line: l.lines.Position(n.Pos()).Line}
	var add func(ast.Expr)
	add = func(e ast.Expr) {
		if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.ADD {
			add(b.X)
			add(b.Y)
			return
		}
		behind := l.lines.Position(e.Pos()).Line - p.line - strings.Count(p.text, "\n")
		p.text += strings.Repeat("\n", max(behind, 0))
		if literal, ok := e.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			p.text += l.text(literal)
			return
		}
		p.text += other
		ast.Walk(l, e)
	}
	add(n)
	l.passages = append(l.passages, p)
}
