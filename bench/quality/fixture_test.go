package quality

import "math"

// judged makes up a score of 6,810 customers of whom 86.8 % left: pull is how far
// apart it tells them, slant by how much its probabilities are too high.
func judged(name string, rankOnly bool, auc, brier, logLoss, ece, pull, slant float64) Judged {
	const base, n = 0.868, 681
	rate := func(i int, middle float64) float64 {
		return min(0.995, 1/(1+math.Exp(-middle-pull*(4.5-float64(i))/2.6))+0.008*math.Sin(float64(3*i)))
	}
	middle := 0.0
	for step := 4.0; step > 1e-9; step /= 2 {
		sum := 0.0
		for i := range 10 {
			sum += rate(i, middle)
		}
		middle += math.Copysign(step, 10*base-sum)
	}
	j := Judged{Name: name, RankOnly: rankOnly, N: 10 * n, Base: base, AUC: auc, Brier: brier, LogLoss: logLoss, ECE: ece}
	left := 0.0
	for i := range j.Deciles {
		p := rate(i, middle)
		se := math.Sqrt(p * (1 - p) / n)
		j.Deciles[i] = Bin{N: n, Mean: min(p+slant-0.01*math.Sin(float64(3*i)), 0.997), Rate: p, Low: p - 1.96*se, High: min(p+1.96*se, 1)}
		left += p
		j.Captured[i] = left / (10 * base)
		j.Lift[i] = j.Captured[i] * 10 / float64(i+1)
	}
	return j
}

// example is a made-up report of the size of a well-known record shop.
func example() *Report {
	r := &Report{
		Data: Data{
			Input: "CDNOW_master.txt", Format: "cdnow", AsOf: "1998-04-01T00:00:00Z", HorizonDays: 91,
			Customers: 23570, Buyers: 6810, Events: 69659, Churned: 5911, BaseRate: 0.868, Currency: "USD", Version: "0.4.0",
		},
		Models: Models{
			Rhythm: Rhythm{R: 0.5249, AlphaDays: 43.281, A: 0.8914, B: 1.6139, LogLikelihood: -95822.14, Weights: []Weight{
				{1, .885}, {2, .085}, {3, .016}, {4, .006}, {6, .003}, {8, .002}, {12, .0015}, {16, .001}, {24, .0005}}},
			Spend: Spend{P: 6.2496, Q: 3.7443, V: 15.4418},
			Churn: Churn{Answered: "learned", Labels: 18204, Terms: []Term{
				{"p_order", -0.912, "chance of an order within the horizon, by the customer's own rhythm"},
				{"recency", 0.402, "days since the last order, logarithm"},
				{"overdue", 0.318, "overdue percentile"},
				{"frequency", -0.207, "purchase days, logarithm"},
			}},
		},
		Churn: []Judged{
			judged("dangol", false, .812, .0881, .2911, .0123, 1.55, .004),
			judged("recency only", true, .771, math.NaN(), math.NaN(), math.NaN(), 1.25, 0),
			judged("frequency only", true, .742, math.NaN(), math.NaN(), math.NaN(), 1.05, 0),
			judged("MBG/NBD", false, .806, .0934, .3104, .0391, 1.48, -.034),
		},
		Orders: Forecasts{Models: []Forecast{
			{"dangol", .252, .268, .312, .741}, {"MBG/NBD", .301, .268, .334, .762}, {"same as last period", .342, .268, .401, .988}}},
		Value: Forecasts{Models: []Forecast{
			{"dangol", 9.71, 9.90, 13.02, 44.1}, {"mean of past orders", 11.2, 9.90, 14.9, 48.3}}},
		Segments: []Group{
			{"champions", 942, .583, .571}, {"loyal", 1011, .741, .752}, {"potential_loyalist", 688, .812, .834}, {"new", 214, .806, .874},
			{"promising", 301, .868, .881}, {"needs_attention", 402, .845, .851}, {"about_to_sleep", 811, .921, .916},
			{"at_risk", 704, .914, .902}, {"cannot_lose", 187, .842, .791}, {"hibernating", 1550, .971, .976}},
		Stages: []Group{
			{"new", 188, .812, .861}, {"second_order_due", 902, .893, .904}, {"repeat", 840, .712, .721}, {"regular", 612, .521, .508},
			{"reactivated", 161, .744, .752}, {"at_risk", 1804, .921, .918}, {"dormant", 2303, .971, .973}},
		NextBest: &NextBest{Users: 899, Models: []Recommender{
			{"dangol", Hits{.214, .171, .402, .291, .198, .503}, Hits{.061, .041, .122, .094, .052, .181}, Hits{.391, .322, .541, .482, .351, .613}},
			{"customer's own most bought", Hits{.202, .168, .381, .262, .187, .471}, Hits{0, 0, 0, 0, 0, 0}, Hits{.398, .331, .548, .489, .357, .618}},
			{"bestsellers", Hits{.092, .061, .204, .141, .077, .289}, Hits{.048, .030, .101, .081, .040, .160}, Hits{.121, .083, .212, .171, .096, .274}},
		}},
	}
	r.Churn[1].Lead = &Lead{.041, .035, .047}
	r.Churn[2].Lead = &Lead{.070, .063, .077}
	r.Churn[3].Lead = &Lead{.006, -.001, .013}
	for i := range r.Orders.ByDecile {
		v := 1.42 * math.Exp(-0.55*float64(i))
		r.Orders.ByDecile[i] = Pair{v, v * (1.06 + 0.08*math.Sin(float64(2*i)))}
		r.Value.ByDecile[i] = Pair{54 * math.Exp(-0.57*float64(i)), 55 * math.Exp(-0.57*float64(i)) * (1 + 0.09*math.Cos(float64(2*i)))}
	}
	return r
}
