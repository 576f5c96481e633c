import { z } from 'zod';

/** The variable that carries the options of a soak, as JSON, from the command line into the test. */
export const SOAK_VARIABLE = 'HOLDFAST_SOAK';

/** The options of a soak: for how long, and how many orders a second. */
export const soakOptions = z.strictObject({ minutes: z.number().positive(), rate: z.number().positive() });
