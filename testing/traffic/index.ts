// What the room of traffic gives to others.
export { type Curve, type CurvePoint, type CurveSource, parseCurveCsv } from './curve.ts';
export { trafficHtml } from './report-html.ts';
export { trafficTable } from './report-table.ts';
export type { ServiceOptions } from './service.ts';
export {
  simulateTraffic,
  type TrafficOptions,
  type TrafficReport,
  type VariantReport,
  type VariantSpec,
} from './simulate-traffic.ts';
export type { TrafficSummary } from './summary.ts';
export type { Scaling, TrafficMinute } from './traffic-day.ts';
export { TrafficError } from './traffic-error.ts';
