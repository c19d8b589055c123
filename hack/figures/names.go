package main

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// selfExplained are methods that need no comment, as in revive's rule "exported": their interfaces document them.
var selfExplained = []string{"Error", "Len", "Less", "Read", "ServeHTTP", "String", "Swap", "Unwrap", "Write"}

// undocumented counts the exported names of a file that have no comment. A comment on a group of constants or
// variables documents all of them.
func undocumented(file *ast.File) int {
	count := 0
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if exported(d) && d.Doc == nil {
				count++
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				count += undocumentedSpec(d, s)
			}
		}
	}
	return count
}

// exported reports whether a function or method is visible to other packages and needs a comment.
func exported(d *ast.FuncDecl) bool {
	if !d.Name.IsExported() {
		return false
	}
	if d.Recv == nil {
		return true
	}
	receiver, _, _ := strings.Cut(typeName(d.Recv.List[0].Type), "[")
	return ast.IsExported(receiver) && !slices.Contains(selfExplained, d.Name.Name)
}

// undocumentedSpec counts the names of a line of d.
func undocumentedSpec(d *ast.GenDecl, s ast.Spec) int {
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && (d.Doc == nil || len(d.Specs) > 1) {
			return 1
		}
	case *ast.ValueSpec:
		if s.Doc != nil || s.Comment != nil || d.Doc != nil {
			return 0
		}
		count := 0
		for _, name := range s.Names {
			if name.IsExported() {
				count++
			}
		}
		return count
	}
	return 0
}

// typeName returns the name of a type expression, with its package if it has one, or "".
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	}
	return ""
}

// interfaces are the interface types of a tree, by folder and name.
type interfaces struct {
	module string
	types  map[string]declared
}

// declared is an interface as it is written.
type declared struct {
	methods  []string
	embedded []string // keys of interfaces, those of other modules included
}

// add collects the interfaces of a file.
func (i *interfaces) add(folder string, file *ast.File) {
	if i.types == nil {
		i.types = map[string]declared{}
	}
	imports := i.imports(file)
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range group.Specs {
			if t, ok := s.(*ast.TypeSpec); ok {
				if body, ok := t.Type.(*ast.InterfaceType); ok {
					i.types[folder+"."+t.Name.Name] = parse(body, folder, imports)
				}
			}
		}
	}
}

// imports returns the folders of the module's packages that a file imports, by the name it uses.
func (i *interfaces) imports(file *ast.File) map[string]string {
	folders := map[string]string{}
	for _, s := range file.Imports {
		imported, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			continue
		}
		folder, ours := strings.CutPrefix(imported, i.module+"/")
		if !ours {
			continue
		}
		name := path.Base(folder)
		if s.Name != nil {
			name = s.Name.Name
		}
		folders[name] = folder
	}
	return folders
}

// parse reads the methods and embedded interfaces of a type.
func parse(body *ast.InterfaceType, folder string, imports map[string]string) declared {
	var d declared
	for _, field := range body.Methods.List {
		if _, method := field.Type.(*ast.FuncType); method {
			for _, name := range field.Names {
				d.methods = append(d.methods, name.Name)
			}
			continue
		}
		name := typeName(field.Type)
		from, name, qualified := strings.Cut(name, ".")
		if !qualified {
			from, name = folder, from
		} else if imported, ok := imports[from]; ok {
			from = imported
		}
		d.embedded = append(d.embedded, from+"."+name)
	}
	return d
}

// largest returns the interface with the most methods, embedded ones included. Methods that another module's
// interface brings are unknown and count as none.
func (i *interfaces) largest() sized {
	var largest sized
	for key := range i.types {
		methods := map[string]bool{}
		i.collect(key, methods, map[string]bool{})
		if len(methods) > largest.size || len(methods) == largest.size && key < largest.name {
			largest = sized{len(methods), key}
		}
	}
	return largest
}

// collect adds the methods of an interface and of those it embeds.
func (i *interfaces) collect(key string, methods, seen map[string]bool) {
	if seen[key] {
		return
	}
	seen[key] = true
	for _, name := range i.types[key].methods {
		methods[name] = true
	}
	for _, embedded := range i.types[key].embedded {
		i.collect(embedded, methods, seen)
	}
}
