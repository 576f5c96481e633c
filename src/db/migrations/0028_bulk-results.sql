ALTER TABLE "bulk_action_items" DROP CONSTRAINT "bulk_action_items_state";--> statement-breakpoint
ALTER TABLE "bulk_action_items" ADD COLUMN "settled_at" timestamp with time zone;--> statement-breakpoint
-- What became of earlier items was not recorded: it is taken from where their failures and orders are now.
UPDATE "bulk_action_items" AS "item" SET "state" = 'skipped', "settled_at" = "acted_at", "acted_at" = NULL WHERE "state" = 'refused';--> statement-breakpoint
UPDATE "bulk_action_items" AS "item" SET "state" = 'skipped', "settled_at" = now(), "message" = 'the bulk action was cancelled before'
  FROM "bulk_actions" AS "action" WHERE "action"."id" = "item"."bulk_action_id" AND "action"."state" = 'cancelled' AND "item"."state" = 'pending';--> statement-breakpoint
UPDATE "bulk_action_items" AS "item" SET "settled_at" = now(), "state" = CASE
    WHEN "failure"."status" = 'open' THEN 'failed_again'
    WHEN "failure"."status" = 'cancelled' THEN 'cancelled'
    WHEN "action"."action" = 'cancel' THEN 'skipped'
    ELSE 'succeeded' END
  FROM "bulk_actions" AS "action", "failures" AS "failure"
  WHERE "action"."id" = "item"."bulk_action_id" AND "failure"."id" = "item"."failure_id" AND "item"."state" = 'requested'
    AND ("failure"."status" IN ('resolved', 'cancelled', 'settled') OR "failure"."status" = 'open' AND ("failure"."occurrence" > "item"."occurrence" OR "action"."action" = 'retry'));--> statement-breakpoint
UPDATE "bulk_action_items" AS "item" SET "settled_at" = now(), "state" = CASE
    WHEN "order"."generation" > "item"."generation" OR "order"."status" IN ('failed', 'needs_attention') THEN 'failed_again'
    WHEN "order"."status" = 'cancelled' THEN 'cancelled'
    ELSE 'succeeded' END
  FROM "orders" AS "order" WHERE "order"."id" = "item"."order_id" AND "item"."failure_id" IS NULL AND "item"."state" = 'requested'
    AND ("order"."generation" > "item"."generation" OR "order"."status" IN ('failed', 'needs_attention', 'cancelled', 'fulfilling', 'shipped', 'completed'));--> statement-breakpoint
ALTER TABLE "bulk_actions" ADD COLUMN "pause_reason" text;--> statement-breakpoint
ALTER TABLE "bulk_actions" ADD COLUMN "probe_from" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "bulk_action_items_awaited_failure" ON "bulk_action_items" USING btree ("failure_id") WHERE state = 'requested';--> statement-breakpoint
CREATE INDEX "bulk_action_items_awaited_order" ON "bulk_action_items" USING btree ("order_id","generation") WHERE state = 'requested';--> statement-breakpoint
ALTER TABLE "bulk_action_items" ADD CONSTRAINT "bulk_action_items_state" CHECK (state in ('pending', 'requested', 'succeeded', 'failed_again', 'cancelled', 'skipped'));