/* Translating with a .ltz file, for programs in C and whatever can call C.
 *
 * No function throws, aborts on a bad file or changes anything global. Only ltz_open_file touches a
 * file. Objects belong to the caller, who frees them; freeing null does nothing. A model is only
 * read once it is open: any number of threads may translate with it at the same time. A thread
 * keeps the memory for intermediate results (some megabytes) until it ends. */
#ifndef LTZ_FORMATS_LTZ_RUNTIME_H
#define LTZ_FORMATS_LTZ_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ltz_model ltz_model;
/* The best translations of one sentence, best first. */
typedef struct ltz_translations ltz_translations;

typedef enum ltz_status {
  LTZ_OK = 0,
  LTZ_INVALID_ARGUMENT = 1, /* null, an option out of range, an id that the model does not have */
  LTZ_INVALID_MODEL = 2,    /* the bytes are not what formats/ltz/LTZ.md says */
  LTZ_UNREADABLE_FILE = 3,  /* the operating system refused */
  LTZ_OUT_OF_MEMORY = 4,
  LTZ_INTERNAL_ERROR = 5
} ltz_status;

/* What every function that can fail says of it, in memory of the caller. Null where nobody asks. */
typedef struct ltz_error {
  ltz_status status;
  char text[256]; /* what was expected and what was found; UTF-8, cut where it is too long */
} ltz_error;

typedef struct ltz_options {
  int beam;   /* width of the beam search, at least 1 */
  int n_best; /* translations to return, 1 to beam; a short sentence may have fewer */
  /* A translation has the score (sum of the log probabilities) / (tokens, with </s>)^lenpen. */
  double lenpen;
  /* It has at most max_len_a * (source tokens, with </s>) + max_len_b tokens before </s>, and at
   * least min_len. */
  double max_len_a;
  int max_len_b;
  int min_len;
  int no_repeat_ngram_size; /* no n tokens in a row come twice; 0: no limit */
} ltz_options;

/* Beam 4, 1 translation, lenpen 0.6, at most 200 tokens, at least 1: the options of the paper. */
ltz_options ltz_default_options(void);

/* Of the library, "major.minor.patch". */
const char* ltz_version(void);

/* Decodes the file, which is not needed any more then. bytes: (size). Null on error. */
ltz_model* ltz_open_memory(const void* bytes, size_t size, ltz_error* error);
/* "-" is standard input. */
ltz_model* ltz_open_file(const char* path, ltz_error* error);
/* Nobody may be translating with it. */
void ltz_free_model(ltz_model* model);

/* Tokens that the model knows, </s> and the other three special ones included: ids are below. 0
 * for null. */
size_t ltz_source_vocabulary_size(const ltz_model* model);
size_t ltz_target_vocabulary_size(const ltz_model* model);

/* Translates one sentence of tokens with white space between them, UTF-8. Byte-pair encoding is
 * applied and removed when the model has merges; one with a SentencePiece model takes text as it
 * is. A text without tokens has one translation, an empty one with a score of 0. options: null for
 * the default ones. Null on error. */
ltz_translations* ltz_translate(const ltz_model* model, const char* text,
                                const ltz_options* options, ltz_error* error);
/* The same from token ids. ids: (count), without </s>, which is added; may be null when count is
 * 0. */
ltz_translations* ltz_translate_ids(const ltz_model* model, const int32_t* ids, size_t count,
                                    const ltz_options* options, ltz_error* error);
void ltz_free_translations(ltz_translations* translations);

/* 1 to n_best; 0 for null. */
size_t ltz_translations_count(const ltz_translations* translations);
/* Of translation i, below the count: its tokens as text, its score, its ids without </s>, as many
 * as *count then says. They live as long as `translations`. Where there is no such translation:
 * null, NaN, null and a count of 0. */
const char* ltz_translation_text(const ltz_translations* translations, size_t i);
double ltz_translation_score(const ltz_translations* translations, size_t i);
const int32_t* ltz_translation_ids(const ltz_translations* translations, size_t i, size_t* count);

#ifdef __cplusplus
}
#endif

#endif
