import type { Measure } from '../harness/measure.ts';
import { bulk } from './bulk.ts';
import { busyIntake } from './busy-intake.ts';
import { cost } from './cost.ts';
import { drainMeasure } from './drain.ts';
import { fairness } from './fairness.ts';
import { intake } from './intake.ts';
import { latency } from './latency.ts';
import { recovery } from './recovery.ts';
import { scale } from './scale.ts';
import { waiting } from './waiting.ts';

/** Every measure, in the order of the README. */
export const MEASURES: readonly Measure[] = [cost, intake, busyIntake, drainMeasure, latency, fairness, waiting, bulk, recovery, scale];
