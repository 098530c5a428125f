// Simulation: whole clusters on virtual time, thousands of times, with everything that can go wrong between a program and its server.
// Part of `pinnace/testing`. Inside, files are imported by themselves.
export type { ClusterState, Write } from './cluster-state.ts';
export type { HistoryEntry } from './history.ts';
export type { Finding, RunOutcome } from './outcome.ts';
export { historyOf, storyOf } from './report.ts';
export {
  type Condition,
  type FaultOptions,
  isScenario,
  type Program,
  type Scenario,
  scenario,
  type ScenarioOptions,
  SIMULATION_LIMITS,
  type SimulatedCluster,
  type SimulatedProcess,
  type SimulationLimits,
} from './scenario.ts';
export {
  explore,
  replay,
  type ReplayOptions,
  simulate,
  type SimulateOptions,
  SimulationFailure,
  type SimulationFailureRecord,
  type SimulationReport,
} from './simulate.ts';
export type { Choice, Tape } from './tape.ts';
