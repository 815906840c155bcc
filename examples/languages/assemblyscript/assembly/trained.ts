/** The weights of the logistic regression of the flights example, as `examples/flights` trained it. */

export const INTERCEPT: f64 = -0.43155;

/** What names add to the log-odds. */
export class Learnt {
  constructor(
    readonly names: string[],
    readonly weights: StaticArray<f64>,
  ) {}

  /** What was learnt about a name. One that was not in the training data adds nothing. */
  of(name: string): f64 {
    const index = this.names.indexOf(name);
    return index < 0 ? 0 : this.weights[index];
  }
}

export const CARRIERS = new Learnt(
  [
    "9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV",
  ],
  [
    0.146011, -0.124475, 0.0190529, 0.348223, -0.428284, 0.815962, 0.369148, 0.0940619, -0.288569, 0.0642606,
    0.0702229, -0.127456, -0.331757, -0.609579, -0.17487, 0.15805,
  ],
);

export const ORIGINS = new Learnt(
  [
    "EWR", "JFK", "LGA",
  ],
  [
    0.0948138, -0.102699, 0.00788532,
  ],
);

export const DESTS = new Learnt(
  [
    "ALB", "ATL", "AUS", "AVL", "BDL", "BGR", "BHM", "BNA", "BOS", "BQN", "BTV", "BUF", "BUR", "BWI", "BZN",
    "CAE", "CAK", "CHO", "CHS", "CLE", "CLT", "CMH", "CRW", "CVG", "DAY", "DCA", "DEN", "DFW", "DSM", "DTW",
    "EGE", "EYW", "FLL", "GRR", "GSO", "GSP", "HDN", "HNL", "HOU", "IAD", "IAH", "IND", "JAC", "JAX", "LAS",
    "LAX", "LGB", "MCI", "MCO", "MDW", "MEM", "MHT", "MIA", "MKE", "MSN", "MSP", "MSY", "MTJ", "MYR", "OAK",
    "OKC", "OMA", "ORD", "ORF", "PBI", "PDX", "PHL", "PHX", "PIT", "PSE", "PSP", "PVD", "PWM", "RDU", "RIC",
    "ROC", "RSW", "SAN", "SAT", "SAV", "SDF", "SEA", "SFO", "SJC", "SJU", "SLC", "SMF", "SNA", "SRQ", "STL",
    "STT", "SYR", "TPA", "TUL", "TYS", "XNA",
  ],
  [
    -0.210823, 0.0475524, 0.286627, 0.0410027, -0.424721, -0.0418878, -0.434295, -0.029048, -0.31892, 0.0392838,
    -0.160655, -0.132763, -0.313334, -0.0366149, 0.149021, 0.258787, -0.0496305, -0.27035, 0.125114, -0.312117,
    0.265926, -0.000158367, 0.19916, -0.120221, 0.0915983, 0.00660559, 0.221122, 0.0410171, 0.307299, -0.11543,
    0.120385, 0.248127, 0.262254, 0.237007, -0.0776886, 0.114944, -0.0293426, 0.23994, 0.355715, -0.166803,
    0.196661, -0.0169899, 0.193788, 0.0739173, -0.267083, -0.292014, -0.12564, 0.328705, 0.00941142, 0.127652,
    0.0977739, -0.193456, 0.121119, -0.0882558, 0.17837, 0.0107499, 0.132533, 0.0507025, -0.032096, -0.254011,
    0.125995, 0.222355, 0.0644586, -0.236804, 0.34662, -0.182659, 0.182611, -0.118007, -0.156277, -0.239816,
    0.0142436, -0.0349704, -0.00860065, 0.0398718, 0.114018, -0.061341, -0.00169681, -0.0812216, -0.201817,
    -0.031036, -0.0883, -0.0654176, -0.0813527, -0.482236, -0.145266, -0.234183, 0.240126, -0.260262, 0.0942516,
    -0.0581781, 0.271701, -0.108948, 0.191778, 0.147276, 0.0537788, 0.103787,
  ],
);

export const HOURS: StaticArray<f64> = [
  0.0, 0.0, 0.0, 0.0, 0.0, -0.49758, -0.580522, -0.613085, -0.403247, -0.323573, -0.357584, -0.352956,
  -0.201905, -0.0646236, 0.0665578, 0.259151, 0.265286, 0.435055, 0.393267, 0.462967, 0.400246, 0.415986,
  0.562447, 0.134114,
];

export const WEEKDAYS: StaticArray<f64> = [
  0.00893727, -0.00112973, 0.0920941, 0.10996, 0.170047, -0.252448, -0.127461,
];

/** What each mile, mile an hour and inch adds. */
export const DISTANCE: f64 = -1.71555e-06;
export const WIND_SPEED: f64 = 0.0272673;
export const PRECIP: f64 = 3.72149;
export const VISIB: f64 = -0.147331;

/** What stands for weather that is unknown. */
export const USUAL_WIND_SPEED: f32 = 11.51;
export const USUAL_PRECIP: f32 = 0.0;
export const USUAL_VISIB: f32 = 10.0;
