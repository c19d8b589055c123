package secrets

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

// Changed is the JSON output of a command that changes the file.
type Changed struct {
	Path    string          `json:"path"`
	Changes secrets.Changes `json:"changes"`
}

// update changes the file. If that creates it without a rule of its own, update says who can read it.
func update(ctx context.Context, a *cli.App, file *appFile, change func(*secrets.File) error) error {
	inherited := secrets.Inherited(file.path)
	err := secrets.Update(ctx, file.path, change)
	if err == nil && inherited && !secrets.Inherited(file.path) {
		a.Warnf("no rule in %s matches %s, so it has the recipients of %s", secrets.RulesName,
			ui.DisplayPath(file.path), secrets.FileName)
	}
	return err
}

// finish prints the changed names. If the infraspec does not declare the new ones, finish offers to add them, or warns
// about them.
func finish(ctx context.Context, a *cli.App, file *appFile, c secrets.Changes) error {
	if a.JSON {
		return a.Encode(Changed{file.path, c})
	}
	text := c.String()
	if text == "" {
		text = "unchanged"
	}
	err := ui.PrintText(a.Streams.Out, ui.DisplayPath(file.path)+": "+text)
	if err != nil {
		return err
	}
	return declare(ctx, a, file, slices.DeleteFunc(slices.Clone(c.Added), func(name string) bool {
		return slices.Contains(file.declared, name)
	}))
}

// declare offers to add names to the infraspec. Without a terminal, it warns with the lines to add.
func declare(ctx context.Context, a *cli.App, file *appFile, names []string) error {
	prompt, asking := ui.NewPrompt(a.Streams)
	var alike []string // names that differ only in case from a declared one: a mistake
	for _, name := range names {
		_, referenced := file.spec.Reference(name)
		isAlike := slices.ContainsFunc(file.declared, func(d string) bool { return strings.EqualFold(d, name) })
		if !asking || referenced || isAlike || !infraspec.IsVariable(name) {
			a.Warnf("%s", undeclared(name, file))
			alike = append(alike, name)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(alike, name) })
	if len(names) == 0 {
		return nil
	}
	path, all := file.spec.Path(), strings.Join(names, ", ")
	where := ui.DisplayPath(path)
	if file.place.Environment != "" {
		where += ", whose environments may all need a value then"
	}
	answer, err := prompt.Ask(ctx, fmt.Sprintf("Add %s to secrets in %s? [Y/n] ", all, where))
	if err == nil && (answer == "" || strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")) {
		environment, _ := infraspec.SplitEnvironment(file.place.Environment)
		if err = infraspec.DeclareFile(path, environment, names); err == nil {
			return ui.PrintText(a.Streams.Out, ui.DisplayPath(path)+": added "+all)
		}
		a.Warnf("%s stays as it is: %v", ui.DisplayPath(path), err)
	}
	for _, name := range names {
		a.Warnf("%s", undeclared(name, file))
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the value is set, but %s is not declared: %w", all, context.Cause(ctx))
	}
	return nil
}

// undeclared returns a warning that the infraspec does not declare name, with the line to add.
func undeclared(name string, file *appFile) string {
	if ref, ok := file.spec.Reference(name); ok {
		return fmt.Sprintf("the app gets %s from Secret %s, so this value has no effect", name, ref.Secret)
	}
	for _, other := range file.declared {
		if strings.EqualFold(other, name) {
			return fmt.Sprintf("the infraspec declares %s, not %s; names are case-sensitive", other, name)
		}
	}
	if len(file.declared) == 0 && len(file.spec.SecretSources) == 0 {
		return fmt.Sprintf("%s is not declared, so the app does not get it; add this line to %s: secrets: [%[1]s]",
			name, infraspec.FileName)
	}
	if file.spec.MapsSecrets() {
		return fmt.Sprintf("%s is not declared, so the app does not get it; add the line \"%[1]s:\" under secrets in %s",
			name, infraspec.FileName)
	}
	return fmt.Sprintf("%s is not declared, so the app does not get it; add the line \"- %[1]s\" under secrets in %s",
		name, infraspec.FileName)
}
