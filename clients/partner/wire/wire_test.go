package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

func TestScalars(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][4]any{ // text, id, flag, whole; nil is an error
		`"7"`:                  {wire.Text("7"), wire.ID("7"), nil, wire.Whole(7)},
		`7`:                    {wire.Text("7"), wire.ID("7"), nil, wire.Whole(7)},
		`1`:                    {wire.Text("1"), wire.ID("1"), wire.Flag(true), wire.Whole(1)},
		`"0"`:                  {wire.Text("0"), wire.ID(""), wire.Flag(false), wire.Whole(0)},
		`null`:                 {wire.Text(""), wire.ID(""), wire.Flag(false), wire.Whole(0)},
		`" "`:                  {wire.Text(""), wire.ID(""), wire.Flag(false), wire.Whole(0)},
		`true`:                 {wire.Text("true"), nil, wire.Flag(true), nil},
		`"False"`:              {wire.Text("False"), nil, wire.Flag(false), nil},
		`-3`:                   {wire.Text("-3"), nil, nil, wire.Whole(-3)},
		`1.5`:                  {wire.Text("1.5"), nil, nil, nil},
		`1e3`:                  {wire.Text("1e3"), nil, nil, nil},
		`"007"`:                {wire.Text("007"), nil, nil, wire.Whole(7)},
		`9007199254740993`:     {wire.Text("9007199254740993"), wire.ID("9007199254740993"), nil, wire.Whole(9007199254740993)},
		`99999999999999999999`: {wire.Text("99999999999999999999"), nil, nil, nil},
		`{"a":1}`:              {nil, nil, nil, nil},
		`[1]`:                  {nil, nil, nil, nil},
		`"Jane Roe"`:           {wire.Text("Jane Roe"), nil, nil, nil},
		`"../1"`:               {wire.Text("../1"), nil, nil, nil},
	} {
		check[wire.Text](t, in, want[0])
		check[wire.ID](t, in, want[1])
		check[wire.Flag](t, in, want[2])
		check[wire.Whole](t, in, want[3])
	}
}

func check[T any](t *testing.T, in string, want any) {
	t.Helper()
	var got struct {
		V T `json:"v"`
	}
	err := json.Unmarshal([]byte(`{"v":`+in+`}`), &got)
	if want == nil {
		var shape partner.ShapeError
		require.ErrorAs(t, err, &shape, "%s as %T", in, got.V)
		require.NotContains(t, err.Error(), "Jane")
		return
	}
	require.NoError(t, err, "%s as %T", in, got.V)
	require.Equal(t, want, got.V, in)
}

func TestIsObject(t *testing.T) {
	t.Parallel()
	require.True(t, wire.IsObject([]byte(" \n{}")))
	for _, other := range []string{"", " ", "[]", "null", `"{"`} {
		require.False(t, wire.IsObject([]byte(other)))
	}
}
