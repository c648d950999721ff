package openmoove

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestABoundedQueueSaysWhatItLoses(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.WarnLevel)
	h := newHooks(Config{IngressURL: "http://127.0.0.1", WebhookSecret: "s", Retries: []time.Duration{time.Hour}, Log: zap.New(core)})
	t.Cleanup(h.close)
	for range maxHooks {
		h.send(&delivery{event: PropertyUpdated})
	}
	require.Zero(t, logs.Len())
	for range 1500 {
		h.send(&delivery{event: PropertyUpdated})
	}
	require.Equal(t, 2, logs.FilterMessageSnippet("are lost").Len(), "not for each")
	h.drop()
	require.True(t, h.accept(&delivery{}), "there is room again")
}
