import { Links } from '../../views/links.ts';
import { idCursor, numberCursor } from '../../views/page.ts';

/** What the examples of the OpenAPI document share. */

export const ORDER_ID = '0197d0a0-7c1e-7b34-9d5a-3f2e8c6b1a90';
export const SIGNUP_ID = '0197d0a0-9a42-7d18-8c3f-5b7e2d4f6a81';
export const FAILURE_ID = '0197d0a3-1f60-7a95-b2c8-6d9e0f3a5b72';
export const BULK_ACTION_ID = '0197d0b8-44d7-7c21-a9e4-2f1b8d6c7e53';
export const RUN_ID = '0197d0a0-7f3b-7e62-8d14-9a5c3b2e1f40';
export const SCHEDULE_ID = 'weekly-report';
export const OPERATOR = 'key:0197c1f2-30b5-7f48-9b6d-e8a27c5d1f34';

/** The cursors of a list by id and of a numbered list. */
export const ID_CURSOR = idCursor.encode(ORDER_ID);
export const NUMBER_CURSOR = numberCursor.encode(42);

export const links = new Links('https://temporal.example', 'holdfast');
