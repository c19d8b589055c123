package control

// moreInterleavings are similar to others. Only make test-all runs them.
var moreInterleavings = []interleaving{
	{"deploys", []step{deploys(0, "second")}, []string{"2 second verified", "1 first verified"}, "first"},
	{"bad deploy", []step{deploys(4, "broken")}, []string{"3 first verified", "2 broken failed"}, "none"},
	{
		"bad deploy that stays, after an undo, and another one",
		[]step{deploys(0, "second"), kubectl(undo...), deploys(4, "broken-a", "--no-rollback"), deploys(4, "broken-b")},
		[]string{"6 first verified", "5 broken-b failed", "4 broken-a failed", "2 second verified"},
		"second",
	},
	{
		"good deploy after an undo",
		[]step{deploys(0, "second"), kubectl(undo...), deploys(0, "third")},
		[]string{"4 third verified", "3 first verified", "2 second verified"},
		"first",
	},
	{
		"undo of an undo",
		[]step{deploys(0, "second"), kubectl(undo...), kubectl(undo...), norn(0, "", "restart", "shop")},
		[]string{"5 second verified", "4 second verified", "3 first verified"},
		"first",
	},
	{
		"another's image and back",
		[]step{kubectl(setOther...), kubectl("set", "image", "deployment/shop", "shop="+image("first"))},
		[]string{"3 first verified", "2 other foreign"},
		"none",
	},
	{
		"undo to another's image, and a bad deploy that stays",
		[]step{
			kubectl(setOther...), deploys(0, "second"), kubectl(undoTo(2)...), deploys(4, "broken", "--no-rollback"),
		},
		[]string{"5 broken failed", "4 other foreign", "3 second verified", "1 first verified"},
		"second",
	},
	{
		"deploy of the same image after another's",
		[]step{kubectl(setOther...), deploys(0, "first")},
		[]string{"3 first verified", "2 other foreign"},
		"none",
	},
	{
		"another's variable, and a restart",
		[]step{deploys(0, "second"), kubectl(setEnv...), norn(0, "", "restart", "shop")},
		[]string{"4 second verified", "3 second", "2 second verified", "1 first verified"},
		"second",
	},
	{
		"restart by a controller, and another one",
		[]step{deploys(0, "second"), kubectl(reload...), norn(0, "", "restart", "shop")},
		[]string{"4 second verified", "3 second", "2 second verified", "1 first verified"},
		"first",
	},
	{
		"another's scale, and a bad deploy",
		[]step{kubectl(scale...), deploys(4, "broken")},
		[]string{"3 first verified", "2 broken failed"},
		"none",
	},
	{
		"another's image during the build",
		[]step{deploysDuring(atBuild, setOther, "second", 5, bySet)},
		[]string{"2 other foreign", "1 first verified"},
		"first",
	},
	{
		"another's restart during the build",
		[]step{deploysDuring(atBuild, restart, "second", 0, "1 of 1 ")},
		[]string{"3 second verified", "2 first", "1 first verified"},
		"first",
	},
	{
		"another's image during a deploy",
		[]step{deploysDuring(atWatch, setOther, "second", 5, bySet)},
		[]string{"3 other foreign", "2 second", "1 first verified"},
		"first",
	},
	{
		"an earlier image during a deploy",
		[]step{
			deploysDuring(atWatch, []string{"set", "image", "deployment/shop", "shop=" + image("first")}, "second", 5, bySet),
		},
		[]string{"3 first foreign verified", "2 second"},
		"none",
	},
	{
		"another's variable during a deploy",
		[]step{deploysDuring(atWatch, setEnv, "second", 5, byPatch)},
		[]string{"3 second", "2 second", "1 first verified"},
		"first",
	},
	{
		"another's scale during a deploy",
		[]step{deploysDuring(atWatch, scale, "second", 0, "2 of 2 ")},
		[]string{"2 second verified", "1 first verified"},
		"first",
	},
	{
		"another's annotation during a deploy",
		[]step{deploysDuring(atWatch, annotate, "second", 0, "1 of 1 ")},
		[]string{"2 second verified", "1 first verified"},
		"first",
	},
	{
		"another's restart during a deploy",
		[]step{deploysDuring(atWatch, restart, "second", 0, "rollout done: revision 3, 1 of 1 ")},
		[]string{"3 second verified", "2 second", "1 first verified"},
		"first",
	},
	{
		"another's pause during the build",
		[]step{deploysDuring(atBuild, pause, "second", 5, byPause)},
		[]string{"1 first verified"},
		"none",
	},
	{
		"another's image before the restore",
		[]step{deploysDuring(atLog, setOther, "broken", 4, left)},
		[]string{"3 other foreign", "2 broken failed", "1 first verified"},
		"first",
	},
	{
		"another's restart before the restore",
		[]step{deploysDuring(atLog, restart, "broken", 4, isRestored)},
		[]string{"4 first verified", "3 broken", "2 broken failed"},
		"none",
	},
	{
		"another's scale between norn's last read and the restore",
		[]step{deploysDuring(atRestore, scale, "broken", 4, isRestored)},
		[]string{"3 first verified", "2 broken failed"},
		"none",
	},
	{
		"undo during a rollback",
		[]step{deploys(0, "second"), deploys(0, "third"), during(atWatch, undoTo(1), 5, byUndo, "rollback", "shop")},
		[]string{"5 first verified", "4 second verified", "3 third verified"},
		"second",
	},
}
