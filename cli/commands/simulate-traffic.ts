// What `pinnace simulate traffic` does: reads a curve and autoscalers from files, plays them, and tells how they compare.
// Invariant: whatever is wrong with a file is told with its name; a report is written whole or not at all.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Deployment, HorizontalPodAutoscalerV2 } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import {
  parseCurveCsv,
  simulateTraffic,
  TrafficError,
  trafficHtml,
  type TrafficOptions,
  type TrafficReport,
  trafficTable,
} from '../../testing/traffic/index.ts';
import { CommandFailure } from './command-failure.ts';
import { readManifests } from './manifests.ts';

/** The flags of `pinnace simulate traffic`, as they were typed. */
export interface TrafficFlags {
  readonly curve: string;
  readonly hpa: readonly string[];
  readonly deployment?: string;
  readonly cpuMs: string;
  readonly capacity?: string;
  readonly startSeconds: string;
  readonly patienceSeconds: string;
  readonly figuresSeconds: string;
  readonly request: string;
  readonly limit?: string;
  readonly pace: string;
  readonly seed: string;
  readonly interpolate?: boolean;
  readonly out?: string;
  readonly json?: string;
}

/** Plays what the flags name, and tells. Throws a CommandFailure for what cannot be simulated. */
export async function compareTraffic(flags: TrafficFlags): Promise<void> {
  const report = await played(flags);
  process.stdout.write(trafficTable(report));
  written(flags.json, () => `${JSON.stringify(report, undefined, 1)}\n`);
  written(flags.out, () => trafficHtml(report));
  if (flags.out !== undefined) process.stdout.write(`charts: ${flags.out}\n`);
}

async function played(flags: TrafficFlags): Promise<TrafficReport> {
  try {
    return await simulateTraffic(optionsOf(flags));
  } catch (error) {
    if (error instanceof TrafficError) throw new CommandFailure(error.message, { cause: error });
    throw error;
  }
}

function optionsOf(flags: TrafficFlags): TrafficOptions {
  const { curve, pace, request, limit, deployment: file, interpolate = false } = flags;
  if (pace !== 'upstream' && pace !== 'pinnace')
    throw new CommandFailure(`--pace takes upstream or pinnace, not "${pace}"`);
  return {
    curve: parseCurveCsv(textOf(curve), { from: curve, interpolate }),
    service: {
      cpuMsPerRequest: numberOf(flags.cpuMs, '--cpu-ms'),
      startSeconds: numberOf(flags.startSeconds, '--start-seconds'),
      patienceSeconds: numberOf(flags.patienceSeconds, '--patience-seconds'),
      ...(flags.capacity !== undefined && {
        capacityPerPod: numberOf(flags.capacity, '--capacity'),
      }),
      ...(file === undefined
        ? { requests: { cpu: request }, ...(limit !== undefined && { limits: { cpu: limit } }) }
        : { deployment: oneOf<Deployment>(file, 'Deployment') }),
    },
    variants: variantsOf(flags.hpa),
    pace,
    seed: numberOf(flags.seed, '--seed'),
    figuresSeconds: numberOf(flags.figuresSeconds, '--figures-seconds'),
  };
}

/** An autoscaler of each file, by the file's name; by its path where two files have one name. */
function variantsOf(files: readonly string[]): Record<string, HorizontalPodAutoscalerV2> {
  const short = files.map((file) => basename(file).replace(/\.(ya?ml|json)$/, ''));
  const distinct = new Set(short).size === files.length;
  return Object.fromEntries(
    files.map((file, i) => {
      const autoscaler = oneOf<HorizontalPodAutoscalerV2>(file, 'HorizontalPodAutoscaler');
      return [(distinct ? short[i] : undefined) ?? file, autoscaler];
    }),
  );
}

const VERSIONS = new Map([
  ['Deployment', 'apps/v1'],
  ['HorizontalPodAutoscaler', 'autoscaling/v2'],
]);

/** The one object of a kind in a file. */
function oneOf<T extends KubeObject>(file: string, kind: string): T {
  const found = readManifests([file]).flatMap((document) => {
    if (document.kind === 'broken') throw new CommandFailure(document.problem);
    return document.object.kind === kind ? [document.object] : [];
  });
  const [first] = found;
  if (!first || found.length > 1)
    throw new CommandFailure(
      `${file} has ${found.length} objects of kind ${kind}, and one is needed`,
    );
  const version = VERSIONS.get(kind);
  if (first.apiVersion !== version)
    throw new CommandFailure(
      `${file} has a ${kind} of ${first.apiVersion}: write it as one of ${version}`,
    );
  return first as T;
}

function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandFailure(`the curve ${file} cannot be read: ${messageOf(error)}`);
  }
}

function written(file: string | undefined, text: () => string): void {
  if (file === undefined) return;
  try {
    writeFileSync(file, text());
  } catch (error) {
    throw new CommandFailure(`${file} cannot be written: ${messageOf(error)}`);
  }
}

function numberOf(text: string, flag: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number;
  throw new CommandFailure(`${flag} takes a number, not "${text}"`);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
