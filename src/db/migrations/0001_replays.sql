CREATE TABLE "replay_items" (
	"replay_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"order_id" uuid NOT NULL,
	"failure_id" uuid,
	"state" text NOT NULL,
	"occurrence" integer,
	"generation" integer,
	"message" text,
	"acted_at" timestamp with time zone,
	CONSTRAINT "replay_items_replay_id_position_pk" PRIMARY KEY("replay_id","position"),
	CONSTRAINT "replay_items_state" CHECK (state in ('pending', 'requested', 'refused'))
);
--> statement-breakpoint
CREATE TABLE "replays" (
	"id" uuid PRIMARY KEY NOT NULL,
	"action" text NOT NULL,
	"state" text NOT NULL,
	"request" jsonb NOT NULL,
	"reason" text NOT NULL,
	"actor" text NOT NULL,
	"rate_per_second" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "replays_action" CHECK (action in ('retry', 'cancel', 'replay')),
	CONSTRAINT "replays_state" CHECK (state in ('running', 'paused', 'cancelled', 'completed'))
);
--> statement-breakpoint
ALTER TABLE "failures" ADD COLUMN "replay_id" uuid;--> statement-breakpoint
ALTER TABLE "replay_items" ADD CONSTRAINT "replay_items_replay_id_replays_id_fk" FOREIGN KEY ("replay_id") REFERENCES "public"."replays"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "replay_items" ADD CONSTRAINT "replay_items_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "replay_items" ADD CONSTRAINT "replay_items_failure_id_failures_id_fk" FOREIGN KEY ("failure_id") REFERENCES "public"."failures"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "replay_items_once" ON "replay_items" USING btree ("replay_id","order_id","failure_id");--> statement-breakpoint
CREATE INDEX "replay_items_pending" ON "replay_items" USING btree ("replay_id","position") WHERE state = 'pending';