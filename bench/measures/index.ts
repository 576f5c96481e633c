import type { Measure } from '../harness/measure.ts';
import { cost } from './cost.ts';
import { drainMeasure } from './drain.ts';
import { latency } from './latency.ts';
import { intake } from './intake.ts';

/** Every measure, in the order of the README. */
export const MEASURES: readonly Measure[] = [cost, intake, drainMeasure, latency];
