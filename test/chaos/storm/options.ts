import { z } from 'zod';
import { faultModes } from '../../../src/sandbox/simulators/faults.ts';
import { PROCESS_NAMES } from './schedule.ts';

/** The variable that carries the options of a storm, as JSON, from the command line into the test. */
export const STORM_VARIABLE = 'HOLDFAST_STORM';

/** How the error begins that is thrown when something does not come to rest. */
export const DRAIN_FAILED = 'Still moving after';

/** The options of a storm. The defaults are those of `npm test`. */
export const stormOptions = z
  .strictObject({
    orders: z.int().positive().default(60),
    seed: z.int().default(1),
    cancelledWhenParked: z.number().min(0).max(1).default(0.2),
    aim: z
      .strictObject({
        processes: z.array(z.enum(PROCESS_NAMES)),
        killed: z.number().min(0).max(1),
        modes: z.array(z.enum(faultModes)),
        rate: z.number().positive().max(1),
      })
      .partial()
      .default({}),
  })
  .prefault({});
