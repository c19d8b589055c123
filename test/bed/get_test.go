package bed

import "testing"

// Answers have the form of kubectl's.
func TestQuery(t *testing.T) {
	const (
		object = `{"metadata":{"name":"a","annotations":{"norn/uid":"1"}},"spec":{"list":[1,2],"on":true}}`
		list   = `{"items":[` + object + `,{"metadata":{"name":"b"}}]}`
	)
	for _, c := range []struct {
		args       []string
		data, want string
	}{
		{[]string{"pods", "-l", "app=shop", "-o", "name"}, list, "pod/a\npod/b\n"},
		{[]string{"deployments", "-o", "name"}, list, "deployment.apps/a\ndeployment.apps/b\n"},
		{[]string{"pvc", "-o", "jsonpath={.items[*].metadata.name}"}, list, "a b"},
		{[]string{"service/a", "-o", "jsonpath={.spec.list} {.spec.on} {.spec.none}|{.metadata.annotations.norn/uid}"},
			object, "[1,2] true |1"},
		{[]string{"leases", "-o", "jsonpath={range .items[*]}{.metadata.name}{'\\n'}{end}"}, list, "a\nb\n"},
	} {
		q, ok := parseQuery(c.args)
		if !ok {
			t.Errorf("%q is left to kubectl", c.args)
			continue
		}
		if got, err := q.print(q.collections[0], []byte(c.data)); got != c.want || err != nil {
			t.Errorf("%q: %q, %v; want %q", c.args, got, err, c.want)
		}
	}
	for _, args := range [][]string{
		{"pods"}, {"pods", "-o", "yaml"}, {"pod", "a", "-o", "name"}, {"nodes", "-o", "name"}, {"pods", "--watch", "-o"},
		{"pods", "-o", "json", "--show-managed-fields"}, {"pods,services", "-o", "jsonpath={.items}"},
	} {
		if _, ok := parseQuery(args); ok {
			t.Errorf("%q is not left to kubectl", args)
		}
	}
}
