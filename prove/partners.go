package prove

import "context"

// partners compares what the partners hold with what is known of it.
func (p *prover) partners(ctx context.Context) error {
	t := p.tally(CheckPartners, "partners' records agree with what is known of them")
	if p.Partners == nil {
		t.Left = "partners were not asked"
		return nil
	}
	n, differs, err := p.Partners(ctx)
	if err != nil {
		return err
	}
	t.compared(n)
	for _, f := range differs {
		t.differs(f)
	}
	return nil
}
