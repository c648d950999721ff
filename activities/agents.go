package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities/analysis"
	"github.com/aictive/keyholder/activities/inspection"
	"github.com/aictive/keyholder/clients/llm"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/store/blobs"
	"github.com/aictive/keyholder/workflows/durable"
)

// AnalyzeMaintenance says what an ordinary repair needs. The rules are the default and
// the floor; where a model is configured it may refine them. It never fails for the
// model's sake.
var AnalyzeMaintenance = durable.Activity[AnalyzeInput, analysis.Analysis]{
	Name: "agents.analyze_maintenance", Attempt: 20 * time.Second, Within: 45 * time.Second,
}

// InspectQuality judges whether a repair that was reported as done may be closed.
// Where a model is configured it may ask for a review; it passes nothing that the rules
// do not. It fails only where the store does.
var InspectQuality = durable.Activity[InspectInput, inspection.Verdict]{
	Name: "agents.inspect_quality", Attempt: 30 * time.Second, Within: 2 * time.Minute,
}

// AnalyzeInput is a report to analyse.
type AnalyzeInput struct {
	WorkOrderID string          `json:"work_order_id"`
	Report      analysis.Report `json:"report"`
}

// InspectInput is a repair to judge.
type InspectInput struct {
	WorkOrderID string `json:"work_order_id"`
	Trade       string `json:"trade"`
	Problem     string `json:"problem"`
	// Checklist is that of the trade, Ticked what was confirmed of it.
	Checklist []string `json:"checklist"`
	Ticked    []string `json:"ticked"`
	// Photos carry Field PhotoBefore or PhotoAfter.
	Photos []durable.Photo `json:"photos"`
	// Wanted is how many photos each of before and after are asked for.
	Wanted int `json:"wanted"`
}

// The fields of photos.
const (
	PhotoBefore = "before"
	PhotoAfter  = "after"
)

const (
	// modelTime is how long a model may take (real time), well within an attempt.
	modelTime = 12 * time.Second
	// maxInspected is how many photos one inspection looks at.
	maxInspected = 24
)

func (a *Activities) analyzeMaintenance(ctx context.Context, in AnalyzeInput) (analysis.Analysis, error) {
	out := a.analyse(ctx, in)
	decided(ctx, deciderOf(out.By), fmt.Sprintf("analysis of work order %s: %s, %s, %d %% sure, by %s",
		in.WorkOrderID, out.Priority, out.Trade, out.Confidence, out.By))
	return out, nil
}

func (a *Activities) analyse(ctx context.Context, in AnalyzeInput) analysis.Analysis {
	rules := analysis.Rules(in.Report)
	// Nothing can be raised above an emergency, for which people are waiting.
	if a.Model == nil || rules.Priority == analysis.PriorityEmergency {
		return rules
	}
	model, err := a.askAnalysis(ctx, in.Report)
	if err != nil {
		a.modelFailed(AnalyzeMaintenance.Name, err)
		rules.Overruled = "the model did not decide: " + failureOf(err)
		return rules
	}
	return analysis.Merge(rules, model)
}

// deciderOf is who has decided, by what an opinion says of itself.
func deciderOf(by string) string {
	if strings.Contains(by, "model ") {
		return byModel
	}
	return byPolicy
}

func (a *Activities) askAnalysis(ctx context.Context, report analysis.Report) (analysis.Analysis, error) {
	prompt, err := analysis.Prompt(report)
	if err != nil {
		return analysis.Analysis{}, err
	}
	answer, err := a.ask(ctx, llm.Request{
		System: analysis.Instructions, User: prompt, SchemaName: analysis.SchemaName, Schema: analysis.Schema(),
	})
	if err != nil {
		return analysis.Analysis{}, err
	}
	model, err := analysis.ReadAnswer(answer, a.Model.Model())
	if err != nil {
		return analysis.Analysis{}, errors.Join(errContradiction, err)
	}
	return model, nil
}

// errContradiction: the model's answer breaks the schema.
var errContradiction = errors.New("the answer contradicts the schema")

func (a *Activities) ask(ctx context.Context, r llm.Request) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, modelTime)
	defer cancel()
	return a.Model.Complete(ctx, r)
}

// failureOf names what was wrong with a model's answer, in one word or two.
func failureOf(err error) string {
	if kind := partner.KindOf(err); kind != "" {
		return string(kind)
	}
	if errors.Is(err, errContradiction) {
		return "contradicts_schema"
	}
	return "failed"
}

// modelFailed notes a failure that nobody else sees. The error quotes neither question
// nor answer.
func (a *Activities) modelFailed(op string, err error) {
	if a.Log != nil {
		a.Log.Info("the model did not help; the rules decided", zap.String("activity", op), zap.Error(err))
	}
}

func (a *Activities) inspectQuality(ctx context.Context, in InspectInput) (inspection.Verdict, error) {
	photos := in.Photos[:min(len(in.Photos), maxInspected)]
	before, after := digests(photos, PhotoBefore), digests(photos, PhotoAfter)
	judged := inspection.Input{
		Checklist: in.Checklist, Ticked: in.Ticked, Photos: in.Wanted, Before: len(before), After: len(after),
		Same: slices.ContainsFunc(before, func(d string) bool { return slices.Contains(after, d) }),
	}
	var err error
	if judged.Reused, err = a.reused(ctx, photos); err != nil {
		return inspection.Verdict{}, err
	}
	// A model is asked only about work that the rules would pass.
	if a.Model != nil && inspection.Judge(judged).Passed {
		judged.Opinion = a.opinion(ctx, in, photos)
	}
	verdict := inspection.Judge(judged)
	what := fmt.Sprintf("quality of work order %s: %s, by %s", in.WorkOrderID, outcomeOf(verdict), verdict.By)
	decided(ctx, deciderOf(verdict.By), what)
	return verdict, nil
}

// outcomeOf says in a few words how a verdict ends.
func outcomeOf(v inspection.Verdict) string {
	var codes []string
	for _, f := range v.Findings {
		codes = append(codes, string(f.Code))
	}
	switch found := strings.Join(codes, ", "); {
	case v.Review():
		return "a person is to look: " + found
	case v.Passed:
		return "passed"
	default:
		return "not passed: " + found
	}
}

// digests are the different pictures of a field.
func digests(photos []durable.Photo, field string) []string {
	var found []string
	for _, p := range photos {
		if p.Field == field && !slices.Contains(found, p.Digest) {
			found = append(found, p.Digest)
		}
	}
	return found
}

// reused finds the photos that other work orders have shown.
func (a *Activities) reused(ctx context.Context, photos []durable.Photo) ([]inspection.Reuse, error) {
	var found []inspection.Reuse
	workflowID := activity.GetInfo(ctx).WorkflowExecution.ID
	for _, p := range photos {
		uses, err := a.Store.PhotoUses(ctx, p.Digest, workflowID)
		if err != nil {
			return nil, err
		}
		if len(uses) > 0 {
			_, id, _ := strings.Cut(uses[0], "/")
			found = append(found, inspection.Reuse{PhotoID: p.ID, WorkOrderID: id})
		}
	}
	return found, nil
}

// opinion is what a model makes of the pictures, nil where it cannot be asked or does
// not say.
func (a *Activities) opinion(ctx context.Context, in InspectInput, photos []durable.Photo) *inspection.Opinion {
	prompt, images := a.pictures(ctx, in, photos)
	if len(images) == 0 {
		return nil
	}
	answer, err := a.ask(ctx, llm.Request{
		System: inspection.Instructions, User: prompt, Images: images, SchemaName: inspection.SchemaName, Schema: inspection.Schema(),
	})
	if err == nil {
		var opinion inspection.Opinion
		if opinion, err = inspection.ReadOpinion(answer, a.Model.Model()); err == nil {
			return &opinion
		}
		err = errors.Join(errContradiction, err)
	}
	a.modelFailed(InspectQuality.Name, err)
	return nil
}

// pictures are up to two of before and two of after, in this order, and the words that
// say so.
func (a *Activities) pictures(ctx context.Context, in InspectInput, photos []durable.Photo) (prompt string, images []llm.Image) {
	if a.Photos == nil {
		return "", nil
	}
	var shown []string
	for _, field := range []string{PhotoBefore, PhotoAfter} {
		n := 0
		for _, p := range photos {
			if p.Field != field || n == llm.MaxImages/2 {
				continue
			}
			data, contentType, err := a.Photos.Open(ctx, blobs.PhotoKey(p.ID))
			if err != nil || len(data) > llm.MaxImageBytes || !strings.HasPrefix(contentType, "image/") {
				continue
			}
			images, shown, n = append(images, llm.Image{ContentType: contentType, Bytes: data}), append(shown, field), n+1
		}
	}
	return inspection.Prompt(in.Trade, in.Problem, shown), images
}
