package control

import "norn/test/bed"

// interleavings has a row of each kind, and those in which norn could lose a version that works. Each starts with the
// first version, as revision 1.
var interleavings = []interleaving{
	{
		"bad deploy after an undo",
		[]step{deploys(0, "second"), kubectl(undo...), deploys(4, "broken"), hasNoMarks},
		[]string{"5 first verified", "4 broken failed", "2 second verified"},
		"second",
	},
	{
		"bad deploy after an undo, with marks of an earlier norn",
		[]step{deploys(0, "second"), marksOfEarlierNorn, kubectl(undo...), deploys(4, "broken"), hasNoMarks},
		[]string{"5 first verified", "4 broken failed", "2 second verified"},
		"second",
	},
	{
		"undo to a bad version, and a good deploy",
		[]step{
			deploys(4, "broken"), func(w *bed.Workspace) { w.Kubectl(undoTo(2)...) }, deploys(0, "second"),
		},
		[]string{"5 second verified", "4 broken failed", "3 first verified"},
		"first",
	},
	{
		"another's image",
		[]step{deploys(0, "second"), kubectl(setOther...)},
		[]string{"3 other foreign", "2 second verified", "1 first verified"},
		"second",
	},
	{
		"bad deploy after another's image",
		[]step{kubectl(setOther...), deploys(4, "broken")},
		[]string{"4 other foreign verified", "3 broken failed", "1 first verified"},
		"first",
	},
	{
		"another's restart, and a bad deploy",
		[]step{kubectl(restart...), deploys(4, "broken")},
		[]string{"4 first verified", "3 broken failed", "1 first verified"},
		"none",
	},
	{
		"fails after it was verified",
		[]step{
			deploys(0, "second"), crashes, norn(4, "this version already ran", "deploy", "shop", "--image", image("second")),
			deploys(0, "third"),
		},
		[]string{"3 third verified", "2 second failed", "1 first verified"},
		"first",
	},
	{
		"undo during the build of a bad version",
		[]step{deploys(0, "second"), deploysDuring(atBuild, undo, "broken", 5, byUndo)},
		[]string{"3 first verified", "2 second verified"},
		"second",
	},
	{
		"undo during a deploy",
		[]step{deploys(0, "second"), deploysDuring(atWatch, undo, "third", 5, byUndo)},
		[]string{"4 second verified", "3 third", "1 first verified"},
		"first",
	},
	{
		"scale to 0 during a deploy",
		[]step{deploysDuring(atWatch, toZero, "second", 0, "scaled to 0, so no Pod ran")},
		[]string{"2 second", "1 first verified"},
		"first",
	},
	{
		"another's annotation of the Pods during a deploy",
		[]step{deploysDuring(atWatch, scrape, "second", 0, "rollout done: revision 3, 1 of 1 ")},
		[]string{"3 second verified", "2 second", "1 first verified"},
		"first",
	},
	{
		"another's pause during a deploy",
		[]step{pausedDuring("second")},
		[]string{"2 second", "1 first verified"},
		"first",
	},
	{
		"another's pause before the restore",
		[]step{deploysDuring(atLog, pause, "broken", 4, byPause)},
		[]string{"2 broken failed", "1 first verified"},
		"first",
	},
	{
		"undo before the restore",
		[]step{deploys(0, "second"), deploysDuring(atLog, undo, "broken", 4, left)},
		[]string{"4 second verified", "3 broken failed", "1 first verified"},
		"first",
	},
	{
		"another's image between norn's last read and the restore",
		[]step{deploysDuring(atRestore, setOther, "broken", 4, left)},
		[]string{"3 other foreign", "2 broken failed", "1 first verified"},
		"first",
	},
	{
		"another's image during the restore",
		[]step{deploysDuring(afterRestore, setOther, "broken", 4, left)},
		[]string{"4 other foreign", "3 first verified", "2 broken failed"},
		"first",
	},
	{
		"another's image during a rollback",
		[]step{deploys(0, "second"), during(atRestore, setOther, 5, bySet, "rollback", "shop")},
		[]string{"3 other foreign", "2 second verified", "1 first verified"},
		"second",
	},
	{
		"undo during a restart",
		[]step{deploys(0, "second"), during(atWatch, undoTo(1), 5, byUndo, "restart", "shop")},
		[]string{"4 first verified", "3 second", "2 second verified"},
		"second",
	},
	{
		"another's variable during a forge",
		[]step{
			func(w *bed.Workspace) { w.WriteApp("shop", probedApp+"env: {B: \"1\"}\n") },
			during(atWatch, setEnv, 5, byPatch, "forge", "shop"),
		},
		[]string{"3 first", "2 first", "1 first verified"},
		"first",
	},
}
