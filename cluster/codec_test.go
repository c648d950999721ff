package cluster_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"github.com/aictive/keyholder/cluster"
)

// key is the text of a key whose 32 bytes are all b.
func key(id string, b byte) string {
	return id + ":" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
}

func keys(t *testing.T, entries ...string) cluster.Keys {
	t.Helper()
	k, err := cluster.ParseKeys(strings.Join(entries, ","))
	require.NoError(t, err)
	return k
}

func payload(t *testing.T, value any) *commonpb.Payload {
	t.Helper()
	p, err := converter.GetDefaultDataConverter().ToPayload(value)
	require.NoError(t, err)
	return p
}

func encode(t *testing.T, k cluster.Keys, value any) *commonpb.Payload {
	t.Helper()
	sealed, err := k.Codec().Encode([]*commonpb.Payload{payload(t, value)})
	require.NoError(t, err)
	require.Len(t, sealed, 1)
	return sealed[0]
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	none, err := cluster.ParseKeys(" ")
	require.NoError(t, err)
	require.False(t, none.Live())
	require.True(t, keys(t, key("2026-11", 1), " "+key("2026-10", 2)).Live())

	short := base64.StdEncoding.EncodeToString([]byte("secret!"))
	for name, tc := range map[string]struct{ text, says string }{
		"no id":        {short, "payload key 1: write it as id:base64"},
		"empty id":     {":" + short, "its id must be"},
		"odd id":       {"a b:" + short, "its id must be"},
		"not base64":   {"a:se-cret", `"a" is not standard base64`},
		"short":        {"a:" + short, `"a" has 7 bytes, needed are 32`},
		"twice":        {key("a", 1) + "," + key("a", 2), `payload key 2: its id "a" was used before`},
		"empty second": {key("a", 1) + ",", "payload key 2"},
		"all at once":  {"a:" + short + ",b", "payload key 2"},
		"too many":     {strings.Repeat(key("a", 1)+",", 17), "at most 16"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := cluster.ParseKeys(tc.text)
			require.ErrorContains(t, err, tc.says)
			require.NotContains(t, err.Error(), short)
			require.NotContains(t, err.Error(), "se-cret")
		})
	}
}

func TestCodecHidesAndRestores(t *testing.T) {
	t.Parallel()
	k := keys(t, key("k1", 1))
	p := encode(t, k, "burst pipe at Mrs Doe's")
	require.Equal(t, cluster.EncodingEncrypted, string(p.Metadata[converter.MetadataEncoding]))
	require.Equal(t, "k1", string(p.Metadata[cluster.MetadataKeyID]))
	require.NotContains(t, p.String(), "Doe")
	require.NotEqual(t, p.Data, encode(t, k, "burst pipe at Mrs Doe's").Data, "each payload has its own nonce")

	opened, err := k.Codec().Decode([]*commonpb.Payload{p})
	require.NoError(t, err)
	require.True(t, proto.Equal(payload(t, "burst pipe at Mrs Doe's"), opened[0]))
}

func TestCodecRotation(t *testing.T) {
	t.Parallel()
	old := encode(t, keys(t, key("old", 1)), "x")
	both := keys(t, key("new", 2), key("old", 1))
	_, err := both.Codec().Decode([]*commonpb.Payload{old})
	require.NoError(t, err)
	require.Equal(t, "new", string(encode(t, both, "x").Metadata[cluster.MetadataKeyID]))

	_, err = keys(t, key("new", 2)).Codec().Decode([]*commonpb.Payload{old})
	require.ErrorIs(t, err, cluster.ErrUnknownKey)
	require.ErrorContains(t, err, `"old"`)
	_, err = cluster.Keys{}.Codec().Decode([]*commonpb.Payload{old})
	require.ErrorIs(t, err, cluster.ErrUnknownKey)
}

func TestCodecPassesPlainPayloads(t *testing.T) {
	t.Parallel()
	plain := payload(t, 42)
	opened, err := keys(t, key("k", 1)).Codec().Decode([]*commonpb.Payload{plain})
	require.NoError(t, err)
	require.Same(t, plain, opened[0])
	sealed, err := cluster.Keys{}.Codec().Encode([]*commonpb.Payload{plain})
	require.NoError(t, err)
	require.Same(t, plain, sealed[0], "without keys nothing is encrypted")
}

func TestCodecRefusesTampering(t *testing.T) {
	t.Parallel()
	// Two ids with one value show that the id itself is authenticated.
	k := keys(t, key("k1", 1), key("twin", 1), key("k2", 2))
	for name, spoil := range map[string]func(*commonpb.Payload){
		"a bit":         func(p *commonpb.Payload) { p.Data[len(p.Data)/2] ^= 1 },
		"the nonce":     func(p *commonpb.Payload) { p.Data[0] ^= 1 },
		"cut":           func(p *commonpb.Payload) { p.Data = p.Data[:len(p.Data)-1] },
		"emptied":       func(p *commonpb.Payload) { p.Data = nil },
		"another key":   func(p *commonpb.Payload) { p.Metadata[cluster.MetadataKeyID] = []byte("k2") },
		"another label": func(p *commonpb.Payload) { p.Metadata[cluster.MetadataKeyID] = []byte("twin") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := encode(t, k, "x")
			spoil(p)
			_, err := k.Codec().Decode([]*commonpb.Payload{p})
			require.ErrorIs(t, err, cluster.ErrTampered)
		})
	}
}

// secret stands for personal data that must not reach the server.
const secret = "Jane-Doe-+15550100"

func whisper(ctx workflow.Context, said string) (string, error) {
	workflow.SetCurrentDetails(ctx, said)
	if err := workflow.UpsertMemo(ctx, map[string]any{"said": said}); err != nil {
		return "", err
	}
	if err := workflow.NewTimerWithOptions(ctx, 1, workflow.TimerOptions{Summary: said}).Get(ctx, nil); err != nil {
		return "", err
	}
	var heard string
	workflow.GetSignalChannel(ctx, "heard").Receive(ctx, &heard)
	return "", temporal.NewNonRetryableApplicationError("cannot repeat "+heard, "whisper", errors.New(said), said)
}

// Nothing that a workflow is given, shows or fails with can be read on the server
// without the key.
func TestHistoryHoldsNoPlaintext(t *testing.T) {
	t.Parallel()
	server := devServer(t)
	id := "whisper/" + uuid.NewString()
	logged := observed(t)
	c := dial(t, cluster.Options{Address: server.Address(), Keys: keys(t, key("k1", 7)), Logger: logged.logger})
	w := worker.New(c, "whisper", worker.Options{})
	w.RegisterWorkflowWithOptions(whisper, workflow.RegisterOptions{Name: "whisper"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)

	run, err := c.SignalWithStartWorkflow(t.Context(), id, "heard", secret,
		client.StartWorkflowOptions{TaskQueue: "whisper", StaticSummary: secret, Memo: map[string]any{"first": secret}}, "whisper", secret)
	require.NoError(t, err)
	err = run.Get(t.Context(), nil)
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.Contains(t, failure.Message(), secret, "with the key the failure reads as it was")
	var detail string
	require.NoError(t, failure.Details(&detail))
	require.Equal(t, secret, detail)

	plain := dial(t, cluster.Options{Address: server.Address()})
	events := &historypb.History{}
	history := plain.GetWorkflowHistory(t.Context(), id, run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(t, err)
		events.Events = append(events.Events, event)
	}
	require.Greater(t, len(events.Events), 8)
	raw, err := proto.Marshal(events)
	require.NoError(t, err)
	require.Contains(t, string(raw), cluster.EncodingEncrypted)
	require.NotContains(t, string(raw), secret)
	described, err := plain.DescribeWorkflowExecution(t.Context(), id, "")
	require.NoError(t, err)
	raw, err = proto.Marshal(described)
	require.NoError(t, err)
	require.NotContains(t, string(raw), secret)
	require.NotContains(t, described.String(), secret)
}
