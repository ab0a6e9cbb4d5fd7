/* Translating, and completing what one types, with a .ltz file: for programs in C and whatever can
 * call C.
 *
 * No function throws, aborts on a bad file or changes anything global. Only ltz_open_file touches a
 * file. Objects belong to the caller, who frees them; freeing null does nothing. A model is only
 * read once it is open: any number of threads may translate with it at the same time. A thread
 * keeps the memory for intermediate results (some megabytes) until it ends.
 *
 * A file has a translation model or a language model; the functions for the other kind refuse it
 * with LTZ_INVALID_ARGUMENT. */
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
/* A text that a language model is reading. */
typedef struct ltz_lm_state ltz_lm_state;
/* Words with their log probabilities. */
typedef struct ltz_lm_words ltz_lm_words;

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
/* Nobody may be translating with it, and its states must be freed. */
void ltz_free_model(ltz_model* model);

/* Tokens that the model knows, </s> and the other three special ones included: ids are below. 0
 * for null. A language model has no source, and its words are the target's. */
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

/* Language models. Their texts are like those of ltz_translate, words that are whole. Logarithms
 * are natural. */

/* The tokens of a text in order, with </s> at the end, each with the log probability that it
 * follows those before it. Null on error; a text longer than the model takes is one. */
ltz_lm_words* ltz_lm_score(const ltz_model* model, const char* text, ltz_error* error);
/* The same from token ids. ids: (count), without </s>; may be null when count is 0. */
ltz_lm_words* ltz_lm_score_ids(const ltz_model* model, const int32_t* ids, size_t count,
                               ltz_error* error);

/* An empty text. The model must outlive it. Null on error. */
ltz_lm_state* ltz_lm_start(const ltz_model* model, ltz_error* error);
/* The same text again; the two go on independently. Null on error. */
ltz_lm_state* ltz_lm_copy(const ltz_lm_state* state, ltz_error* error);
/* Reads on, for the price of what is new. After an error, nothing of it was read; a text that gets
 * longer than the model takes is one. Nobody else may be using the state. */
ltz_status ltz_lm_extend(ltz_lm_state* state, const char* text, ltz_error* error);
ltz_status ltz_lm_extend_ids(ltz_lm_state* state, const int32_t* ids, size_t count,
                             ltz_error* error);
/* Tokens that were read; 0 for null. */
size_t ltz_lm_length(const ltz_lm_state* state);
void ltz_lm_free_state(ltz_lm_state* state);

/* The likeliest next words, best first, at most `count`, which is at least 1. They begin with
 * `beginning`, what is there of the next word; null or "": any words, and </s> where the text may
 * end. Subwords are put together to words, which takes the time of reading a token for every
 * beginning of a word that is likely, of which at most 32 are tried. Null on error. */
ltz_lm_words* ltz_lm_next(const ltz_lm_state* state, const char* beginning, size_t count,
                          ltz_error* error);

/* The likeliest continuations of a text up to its end, by the search of ltz_translate. Text and ids
 * of a result are what follows; its score and the limits of its length are those of the whole. The
 * length that max_len_a multiplies is that of the text that is given, with one token before it. A
 * text that is longer than the whole may be is an error. */
ltz_translations* ltz_lm_complete(const ltz_model* model, const char* text,
                                  const ltz_options* options, ltz_error* error);
ltz_translations* ltz_lm_complete_ids(const ltz_model* model, const int32_t* ids, size_t count,
                                      const ltz_options* options, ltz_error* error);

/* 0 for null. */
size_t ltz_lm_words_count(const ltz_lm_words* words);
/* The sum of all log probabilities, which for a scored text is its own; NaN for null. */
double ltz_lm_words_total(const ltz_lm_words* words);
/* Of word i, below the count: its text ("</s>" is the end), its log probability, its ids, as many
 * as *count then says. They live as long as `words`. Where there is no such word: null, NaN, null
 * and a count of 0. */
const char* ltz_lm_word_text(const ltz_lm_words* words, size_t i);
double ltz_lm_word_log_probability(const ltz_lm_words* words, size_t i);
const int32_t* ltz_lm_word_ids(const ltz_lm_words* words, size_t i, size_t* count);
void ltz_lm_free_words(ltz_lm_words* words);

#ifdef __cplusplus
}
#endif

#endif
