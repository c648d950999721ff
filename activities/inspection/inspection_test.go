package inspection

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func good() Input {
	list := []string{"No drip under pressure", "The place is clean"}
	return Input{Checklist: list, Ticked: list, Before: 1, After: 1, Photos: 1}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Input)
		passed bool
		codes  []Code
		text   string
	}{
		"all there":         {func(*Input) {}, true, nil, ""},
		"no photos wanted":  {func(in *Input) { in.Before, in.After, in.Photos = 0, 0, 0 }, true, nil, ""},
		"more than wanted":  {func(in *Input) { in.Before, in.After = 5, 6 }, true, nil, ""},
		"more ticked":       {func(in *Input) { in.Ticked = append(in.Ticked, "Something else") }, true, nil, ""},
		"no checklist":      {func(in *Input) { in.Checklist, in.Ticked = nil, nil }, true, nil, ""},
		"no before":         {func(in *Input) { in.Before = 0 }, false, []Code{CodePhotosMissingBefore}, "Send a photo of the place before the work."},
		"two after missing": {func(in *Input) { in.Photos, in.Before, in.After = 3, 3, 1 }, false, []Code{CodePhotosMissingAfter}, "Send 2 more photos of the place after the work."},
		"neither":           {func(in *Input) { in.Before, in.After = 0, 0 }, false, []Code{CodePhotosMissingBefore, CodePhotosMissingAfter}, ""},
		"reused":            {func(in *Input) { in.Reused = []Reuse{{"p1", "4711"}} }, false, []Code{CodePhotoReused}, "A photo was sent for another job already (work order 4711): send a new one."},
		"reused somewhere":  {func(in *Input) { in.Reused = []Reuse{{PhotoID: "p1"}} }, false, []Code{CodePhotoReused}, "A photo was sent for another job already: send a new one."},
		"the same twice":    {func(in *Input) { in.Same = true }, false, []Code{CodePhotoSame}, "The same photo is shown as before and after: send one of each."},
		"one not ticked":    {func(in *Input) { in.Ticked = in.Ticked[:1] }, false, []Code{CodeChecklistIncomplete}, "Please confirm: The place is clean."},
		"other words":       {func(in *Input) { in.Ticked = []string{"no drip under pressure", "The place is clean"} }, false, []Code{CodeChecklistIncomplete}, "Please confirm: No drip under pressure."},
		"a long list": {func(in *Input) { in.Checklist, in.Ticked = []string{"a", "b", "c", "d", "e"}, nil }, false, []Code{CodeChecklistIncomplete},
			"Please confirm: a; b; c and 2 more."},
		"no concern": {func(in *Input) { in.Opinion = &Opinion{Reason: noConcern, By: "model m"} }, true, nil, ""},
		"a concern": {func(in *Input) { in.Opinion = &Opinion{Concern: true, Reason: "the damage still shows", By: "model m"} }, true, []Code{CodeOpinion},
			"Somebody should look at the photos: the damage still shows."},
		"a concern in its own words": {func(in *Input) { in.Opinion = &Opinion{Concern: true, Reason: "call 555-0100", By: "model m"} }, true, []Code{CodeOpinion},
			"Somebody should look at the photos."},
		"an opinion passes nothing": {func(in *Input) { in.Before, in.Opinion = 0, &Opinion{By: "model m"} }, false, []Code{CodePhotosMissingBefore}, ""},
	} {
		in := good()
		c.change(&in)
		v := Judge(in)
		var codes []Code
		for _, f := range v.Findings {
			codes = append(codes, f.Code)
		}
		require.Equal(t, c.codes, codes, name)
		require.Equal(t, c.passed, v.Passed, name)
		require.Equal(t, c.passed && len(c.codes) > 0, v.Review(), name)
		if c.text != "" {
			require.Equal(t, c.text, v.Findings[0].Text, name)
		}
		if in.Opinion != nil {
			require.Equal(t, "rules "+Version+", model m", v.By)
		} else {
			require.Equal(t, "rules "+Version, v.By)
		}
	}
}

// Whatever a model says, the work passes exactly where the rules alone pass it.
func TestAnOpinionDecidesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 4)
		in := Input{
			Checklist: items.Draw(t, "checklist"), Ticked: items.Draw(t, "ticked"), Same: rapid.Bool().Draw(t, "same"),
			Before: rapid.IntRange(0, 4).Draw(t, "before"), After: rapid.IntRange(0, 4).Draw(t, "after"), Photos: rapid.IntRange(0, 4).Draw(t, "photos"),
		}
		alone := Judge(in)
		in.Opinion = &Opinion{Concern: rapid.Bool().Draw(t, "concern"), Reason: rapid.SampledFrom(append(Concerns(), "call me")).Draw(t, "reason"), By: "model m"}
		v := Judge(in)
		require.Equal(t, alone.Passed, v.Passed)
		require.Equal(t, alone.Findings, append([]Finding(nil), v.Findings[:len(alone.Findings)]...))
		require.Equal(t, v.Passed, len(alone.Findings) == 0)
	})
}

func TestReadOpinion(t *testing.T) {
	t.Parallel()
	o, err := ReadOpinion([]byte(`{"concern":true,"reason":"the damage still shows"}`), "m")
	require.NoError(t, err)
	require.Equal(t, Opinion{Concern: true, Reason: "the damage still shows", By: "model m"}, o)
	for _, answer := range []string{
		"", "null", "{}", `{"concern":true}`, `{"concern":"yes","reason":"none"}`, `{"concern":true,"reason":"call me"}`,
		`{"concern":true,"reason":"none","note":"x"}`, `{"concern":true,"reason":"none"}{}`, "Looks fine!",
	} {
		_, err := ReadOpinion([]byte(answer), "m")
		require.Error(t, err, answer)
	}
	require.JSONEq(t, `{"trade":"plumbing","problem":"Leaking tap","photos":["before","after"]}`, Prompt("plumbing", "Leaking tap", []string{"before", "after"}))
	require.Equal(t, false, Schema()["additionalProperties"])
}

func ExampleJudge() {
	v := Judge(Input{Checklist: []string{"No drip under pressure"}, Before: 1, Photos: 1})
	fmt.Println(v.Passed)
	for _, f := range v.Findings {
		fmt.Println(f.Code, f.Text)
	}
	// Output:
	// false
	// photos_missing_after Send a photo of the place after the work.
	// checklist_incomplete Please confirm: No drip under pressure.
}
