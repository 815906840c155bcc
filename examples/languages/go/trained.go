package main

// The weights of the logistic regression of the flights example, as examples/flights trained it.

const (
	intercept    = -0.43155
	perDistance  = -1.71555e-06
	perWindSpeed = 0.0272673
	perPrecip    = 3.72149
	perVisib     = -0.147331
)

// What stands for weather that is unknown.
const (
	usualWindSpeed float32 = 11.51
	usualPrecip    float32 = 0.0
	usualVisib     float32 = 10.0
)

// carriers holds what each carrier adds.
var carriers = map[string]float64{
	"9E": 0.146011,
	"AA": -0.124475,
	"AS": 0.0190529,
	"B6": 0.348223,
	"DL": -0.428284,
	"EV": 0.815962,
	"F9": 0.369148,
	"FL": 0.0940619,
	"HA": -0.288569,
	"MQ": 0.0642606,
	"OO": 0.0702229,
	"UA": -0.127456,
	"US": -0.331757,
	"VX": -0.609579,
	"WN": -0.17487,
	"YV": 0.15805,
}

// origins holds what each airport of departure adds.
var origins = map[string]float64{
	"EWR": 0.0948138,
	"JFK": -0.102699,
	"LGA": 0.00788532,
}

// dests holds what each airport of arrival adds.
var dests = map[string]float64{
	"ALB": -0.210823,
	"ATL": 0.0475524,
	"AUS": 0.286627,
	"AVL": 0.0410027,
	"BDL": -0.424721,
	"BGR": -0.0418878,
	"BHM": -0.434295,
	"BNA": -0.029048,
	"BOS": -0.31892,
	"BQN": 0.0392838,
	"BTV": -0.160655,
	"BUF": -0.132763,
	"BUR": -0.313334,
	"BWI": -0.0366149,
	"BZN": 0.149021,
	"CAE": 0.258787,
	"CAK": -0.0496305,
	"CHO": -0.27035,
	"CHS": 0.125114,
	"CLE": -0.312117,
	"CLT": 0.265926,
	"CMH": -0.000158367,
	"CRW": 0.19916,
	"CVG": -0.120221,
	"DAY": 0.0915983,
	"DCA": 0.00660559,
	"DEN": 0.221122,
	"DFW": 0.0410171,
	"DSM": 0.307299,
	"DTW": -0.11543,
	"EGE": 0.120385,
	"EYW": 0.248127,
	"FLL": 0.262254,
	"GRR": 0.237007,
	"GSO": -0.0776886,
	"GSP": 0.114944,
	"HDN": -0.0293426,
	"HNL": 0.23994,
	"HOU": 0.355715,
	"IAD": -0.166803,
	"IAH": 0.196661,
	"IND": -0.0169899,
	"JAC": 0.193788,
	"JAX": 0.0739173,
	"LAS": -0.267083,
	"LAX": -0.292014,
	"LGB": -0.12564,
	"MCI": 0.328705,
	"MCO": 0.00941142,
	"MDW": 0.127652,
	"MEM": 0.0977739,
	"MHT": -0.193456,
	"MIA": 0.121119,
	"MKE": -0.0882558,
	"MSN": 0.17837,
	"MSP": 0.0107499,
	"MSY": 0.132533,
	"MTJ": 0.0507025,
	"MYR": -0.032096,
	"OAK": -0.254011,
	"OKC": 0.125995,
	"OMA": 0.222355,
	"ORD": 0.0644586,
	"ORF": -0.236804,
	"PBI": 0.34662,
	"PDX": -0.182659,
	"PHL": 0.182611,
	"PHX": -0.118007,
	"PIT": -0.156277,
	"PSE": -0.239816,
	"PSP": 0.0142436,
	"PVD": -0.0349704,
	"PWM": -0.00860065,
	"RDU": 0.0398718,
	"RIC": 0.114018,
	"ROC": -0.061341,
	"RSW": -0.00169681,
	"SAN": -0.0812216,
	"SAT": -0.201817,
	"SAV": -0.031036,
	"SDF": -0.0883,
	"SEA": -0.0654176,
	"SFO": -0.0813527,
	"SJC": -0.482236,
	"SJU": -0.145266,
	"SLC": -0.234183,
	"SMF": 0.240126,
	"SNA": -0.260262,
	"SRQ": 0.0942516,
	"STL": -0.0581781,
	"STT": 0.271701,
	"SYR": -0.108948,
	"TPA": 0.191778,
	"TUL": 0.147276,
	"TYS": 0.0537788,
	"XNA": 0.103787,
}

// hours holds what each hour of the day adds.
var hours = []float64{0.0, 0.0, 0.0, 0.0, 0.0, -0.49758, -0.580522, -0.613085, -0.403247, -0.323573, -0.357584, -0.352956, -0.201905, -0.0646236, 0.0665578, 0.259151, 0.265286, 0.435055, 0.393267, 0.462967, 0.400246, 0.415986, 0.562447, 0.134114}

// weekdays holds what each day of the week, from Monday on, adds.
var weekdays = []float64{0.00893727, -0.00112973, 0.0920941, 0.10996, 0.170047, -0.252448, -0.127461}
