package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
)

func TestAModelNeedsItsName(t *testing.T) {
	t.Parallel()
	require.Nil(t, ModelConfig{LLMURL: "https://api.openai.com/v1", LLMModel: "m"}.client(nil), "without a key the rules decide")
	require.Equal(t, "m", ModelConfig{LLMKey: "sk", LLMModel: "m"}.client(nil).Model())

	var cfg workerConfig
	cfg.LLMKey, cfg.LLMURL = "sk", "ftp://models"
	err := cfg.validate(activities.Outbound{})
	require.ErrorContains(t, err, "set KEYHOLDER_LLM_MODEL")
	require.ErrorContains(t, err, "KEYHOLDER_LLM_URL must be an http or https address")
}
