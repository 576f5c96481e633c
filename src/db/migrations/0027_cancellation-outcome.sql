ALTER TABLE "order_events" ALTER COLUMN "status" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "order_events" ADD COLUMN "cancellation" text;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "cancellation_status" text;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "cancellation_requested_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "cancellation_settled_at" timestamp with time zone;--> statement-breakpoint
-- When each was requested: by its command, where that is still kept. When it was done: by the event that ended its order.
UPDATE "orders" SET
  "cancellation_status" = CASE
    WHEN "orders"."status" IN ('cancelled', 'failed') THEN 'done'
    WHEN "orders"."status" IN ('shipped', 'completed') THEN 'refused'
    ELSE 'requested' END,
  "cancellation_requested_at" = coalesce("requested"."at", "settled"."at", "orders"."updated_at"),
  "cancellation_settled_at" = CASE
    WHEN "orders"."status" IN ('cancelled', 'failed', 'shipped', 'completed') THEN coalesce("settled"."at", "orders"."updated_at") END
FROM "orders" AS "cancelled"
LEFT JOIN LATERAL (
  SELECT max("created_at") AS "at" FROM "commands"
  WHERE "workflow_id" = 'order/' || "cancelled"."id" AND "body" ->> 'type' IN ('cancel_order', 'cancelOrder')
) AS "requested" ON true
LEFT JOIN LATERAL (
  SELECT max("created_at") AS "at" FROM "order_events"
  WHERE "order_id" = "cancelled"."id" AND "generation" = "cancelled"."generation" AND "order_events"."status" = "cancelled"."status"
) AS "settled" ON true
WHERE "orders"."id" = "cancelled"."id" AND ("cancelled"."cancellation_reason" IS NOT NULL OR "cancelled"."status" = 'cancelled');--> statement-breakpoint
ALTER TABLE "order_events" ADD CONSTRAINT "order_events_one" CHECK (num_nonnulls(status, cancellation) = 1);--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_cancellation_status" CHECK (cancellation_status in ('requested', 'done', 'refused'));--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_cancellation_times" CHECK ((cancellation_status is null) = (cancellation_requested_at is null)
        and (cancellation_status is not null and cancellation_status <> 'requested') = (cancellation_settled_at is not null));--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_cancellation_settled" CHECK (cancellation_status <> 'requested' or not (status in ('shipped', 'completed', 'cancelled', 'failed')));