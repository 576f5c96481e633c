CREATE TABLE "api_key_secrets" (
	"hash" text PRIMARY KEY NOT NULL,
	"key_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"last_used_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "api_key_secrets" ADD CONSTRAINT "api_key_secrets_key_id_api_keys_id_fk" FOREIGN KEY ("key_id") REFERENCES "public"."api_keys"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_key_secrets_key" ON "api_key_secrets" USING btree ("key_id");--> statement-breakpoint
INSERT INTO "api_key_secrets" ("hash", "key_id", "created_at") SELECT "secret_hash", "id", "created_at" FROM "api_keys";--> statement-breakpoint
ALTER TABLE "operator_sessions" DROP CONSTRAINT "operator_sessions_key_id_api_keys_id_fk";
--> statement-breakpoint
ALTER TABLE "operator_sessions" ADD COLUMN "secret_hash" text;--> statement-breakpoint
UPDATE "operator_sessions" SET "secret_hash" = "api_keys"."secret_hash" FROM "api_keys" WHERE "api_keys"."id" = "operator_sessions"."key_id";--> statement-breakpoint
ALTER TABLE "operator_sessions" ALTER COLUMN "secret_hash" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "operator_sessions" ADD CONSTRAINT "operator_sessions_secret_hash_api_key_secrets_hash_fk" FOREIGN KEY ("secret_hash") REFERENCES "public"."api_key_secrets"("hash") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "operator_sessions" DROP COLUMN "key_id";--> statement-breakpoint
ALTER TABLE "api_keys" DROP CONSTRAINT "api_keys_secret_hash_unique";--> statement-breakpoint
ALTER TABLE "api_keys" DROP COLUMN "secret_hash";