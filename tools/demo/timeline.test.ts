// Tests of what the demo works out from its load: means over windows, and quantiles.
import { describe, expect, it } from 'vitest';
import {
  fastestWindow,
  meanRate,
  quantile,
  rateOfOne,
  slowestWindow,
  smallestShare,
} from './timeline.ts';

const seconds = (...answered: number[]) => answered.map((each) => ({ answered: each, length: 1 }));

describe('windows of load', () => {
  it('slide, so that a short dip or peak counts as part of its window only', () => {
    const load = seconds(90, 90, 30, 90, 90, 120, 120, 120);
    expect(slowestWindow(load, 3)).toBe(70);
    expect(fastestWindow(load, 3)).toBe(120);
    expect(slowestWindow(load, 1)).toBe(30);
  });

  it('are as long as they say, whatever the buckets', () => {
    const uneven = [
      { answered: 10, length: 0.5 },
      { answered: 20, length: 0.7 },
      { answered: 80, length: 2 },
    ];
    expect(slowestWindow(uneven, 3)).toBeCloseTo(110 / 3.2);
    expect(fastestWindow(uneven, 2)).toBeCloseTo(40);
  });

  it('that nothing fills are none: no load passes for a good one', () => {
    expect(slowestWindow(seconds(100, 100), 3)).toBe(0);
    expect(fastestWindow(seconds(100, 100), 3)).toBe(0);
    expect(slowestWindow([], 3)).toBe(0);
  });

  it('have a mean, by their length', () => {
    expect(meanRate([...seconds(80, 80), { answered: 20, length: 2 }])).toBe(45);
    expect(meanRate([])).toBe(0);
  });
});

it('the rate of one replica is that of the sale, before others are there', () => {
  const second = (stage: string, ready: number, answered: number) => {
    const payment = { answered, failed: 0, p50: 0, p99: 0, cpuMillis: 0, replicas: ready, ready };
    return { stage, length: 2, payment };
  };
  const alone = [second('sale', 1, 9), second('sale', 1, 60), second('sale', 1, 80)];
  expect(rateOfOne([second('calm', 1, 8), ...alone, second('sale', 2, 300)])).toBe(35);
  expect(rateOfOne([second('calm', 1, 8), second('sale', 3, 300)])).toBe(0);
});

describe('the share of a bare server', () => {
  const told = (...pairs: [catalog: number, bare: number][]) =>
    pairs.map(([answered, bare]) => ({
      catalog: { answered, failed: 0, p50: 0, p99: 0, cpuMillis: 0, replicas: 2, ready: 2 },
      bare,
    }));

  it('does not mind seconds in which neither was given time', () => {
    expect(smallestShare(told([80, 80], [40, 40], [0, 0], [2, 2], [80, 80]), 80)).toBe(1);
  });

  it('is small where the host had time and the catalog did not answer', () => {
    expect(smallestShare(told([80, 80], [80, 80], [0, 80], [0, 80], [80, 80]), 160)).toBe(0);
  });

  it('is none where too little was asked to tell', () => {
    expect(smallestShare(told([80, 80]), 240)).toBe(0);
  });
});

it('quantiles take the value below which the share lies', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(quantile(values, 0.5)).toBe(51);
  expect(quantile(values, 0.99)).toBe(100);
  expect(quantile([], 0.5)).toBe(0);
});
