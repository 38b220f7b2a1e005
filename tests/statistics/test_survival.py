"""Kaplan-Meier in batches: worked by hand, against lifelines and R, and by properties."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times, qth_survival_time, restricted_mean_survival_time

from blinasim.statistics import curves, survival

TRANSFORMS = ("log-log", "log", "plain")


def one(time, event):
    """Fit a single trial."""
    return survival.fit(np.asarray(time)[np.newaxis], np.asarray(event)[np.newaxis])


def judge(time, event):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KaplanMeierFitter().fit(time, event)


def same_day_unless_exact(ours, theirs, curve, q=0.5):
    """Days agree, except where lifelines' curve is q up to rounding: it may then fall on either side.

    lifelines sums logarithms and compares without tolerance, so its exact half can come out as
    0.5000000000000001 and its median one event too late. Ours must be the day of the exact half then.
    """
    if ours == theirs:
        return True
    return bool(np.isclose(curve.loc[:ours].iloc[-1], q, rtol=0, atol=1e-9)) and ours < theirs


# ---- by hand
# -------------------------------------------------------------------------------------------------

# day      2      3      5      7      9
#          event  cens.  event  event  cens.
# at risk  5      4      3      2      1
# S        4/5    4/5    8/15   4/15   4/15           (4/5 * 2/3 = 8/15, * 1/2 = 4/15)
# terms    1/20   -      1/6    1/2    -              1 / (n (n - 1))
TIME = np.array([[5, 9, 2, 7, 3]])
EVENT = np.array([[True, False, True, True, False]])


def test_curve_by_hand():
    batch = survival.fit(TIME, EVENT)
    assert batch.time.tolist() == [[2, 3, 5, 7, 9]]
    assert batch.event.tolist() == [[True, False, True, True, False]]
    assert batch.at_risk.tolist() == [[5, 4, 3, 2, 1]]
    assert batch.n_members.tolist() == [5]
    np.testing.assert_allclose(batch.survival, [[4 / 5, 4 / 5, 8 / 15, 4 / 15, 4 / 15]])
    np.testing.assert_allclose(batch.greenwood, [[1 / 20, 1 / 20, 13 / 60, 43 / 60, 43 / 60]])


def test_quantiles_by_hand():
    batch = survival.fit(TIME, EVENT)
    assert survival.median(batch).tolist() == [7]
    assert survival.median(batch, q=0.8).tolist() == [2]
    assert survival.median(batch, q=0.25).tolist() == [np.inf]


def test_value_on_a_day_by_hand():
    batch = survival.fit(TIME, EVENT)
    days = [0, 1.9, 2, 4, 5, 6.5, 7, 400]
    values = [survival.survival_at(batch, day)[0] for day in days]
    np.testing.assert_allclose(values, [1, 1, 4 / 5, 4 / 5, 8 / 15, 8 / 15, 4 / 15, 4 / 15])


def test_bands_by_hand():
    # On day 5 S = 8/15 = 0.533333 and s = sqrt(13/60) = 0.465475; z = 1.959964, z s = 0.912314.
    # plain:   0.533333 (1 -+ 0.912314)                    = 0.046766 and 1.019901, clipped to 1
    # log:     0.533333 exp(-+ 0.912314)                   = 0.214183 and 1.328042, clipped to 1
    # log-log: -log S = 0.628609, exp(0.912314 / 0.628609) = 4.268757,
    #          exp(-0.628609 * 4.268757)                   = 0.068332,
    #          exp(-0.628609 / 4.268757)                   = 0.863071
    batch = survival.fit(TIME, EVENT)
    expected = {"plain": (0.046766, 1.0), "log": (0.214183, 1.0), "log-log": (0.068332, 0.863071)}
    for transform, limits in expected.items():
        found = survival.interval_at(batch, 5, transform=transform)
        np.testing.assert_allclose(np.ravel(found), limits, atol=2e-6)


def test_restricted_mean_by_hand():
    # Up to day 8: 2 * 1 + 3 * 4/5 + 2 * 8/15 + 1 * 4/15 = 2 + 2.4 + 1.066667 + 0.266667 = 5.733333.
    # Areas still to come: after day 2 3.733333, after day 5 1.333333 (2 * 8/15 + 4/15), after day 7 0.266667.
    # Variance: 3.733333^2 / 20 + 1.333333^2 / 6 + 0.266667^2 / 2 = 0.696889 + 0.296296 + 0.035556 = 1.028741.
    batch = survival.fit(TIME, EVENT)
    assert survival.rmst(batch, 8)[0] == pytest.approx(5.733333, abs=1e-6)
    assert survival.rmst_standard_error(batch, 8)[0] == pytest.approx(np.sqrt(1.028741), abs=1e-6)


def test_restricted_mean_is_extended_flat_beyond_a_last_censoring():
    batch = survival.fit(TIME, EVENT)
    assert survival.rmst(batch, 109)[0] == pytest.approx(survival.rmst(batch, 9)[0] + 100 * 4 / 15)


def test_reverse_median_keeps_the_order_of_the_day():
    # Day 5: two deaths, then one censoring among the 2 left: reverse curve 1/2 on day 5. A flipped event
    # column would put the censoring among all 4 (3/4) and find the median on day 9.
    found = survival.reverse_median(one([5, 5, 5, 9], [True, True, False, False]))
    assert found.tolist() == [5]


def test_reverse_median_is_not_reached_when_everybody_dies():
    assert survival.reverse_median(survival.fit(TIME, np.ones_like(EVENT))).tolist() == [np.inf]


# ---- reference answers of R
# ----------------------------------------------------------------------------------


def test_lung_median_and_its_limits_are_those_of_r(lung):
    batch = one(*lung)
    assert survival.median(batch)[0] == 310
    assert np.ravel(survival.median_interval(batch)).tolist() == [284, 361]
    assert np.ravel(survival.median_interval(batch, transform="log")).tolist() == [285, 363]


@pytest.mark.parametrize(("sex", "mean", "error"), [("m", 324.0484, 22.29794), ("f", 455.9041, 32.91742)])
def test_lung_restricted_mean_is_that_of_survrm2(lung_by_sex, sex, mean, error):
    batch = one(*lung_by_sex[sex])
    assert survival.rmst(batch, 965)[0] == pytest.approx(mean, abs=1e-4)
    assert survival.rmst_standard_error(batch, 965)[0] == pytest.approx(error, abs=1e-5)


# ---- lifelines
# -----------------------------------------------------------------------------------------------


def test_curve_equals_lifelines(sample):
    time, event = sample
    batch, km = one(time, event), judge(time, event)
    for day in range(0, time.max() + 10, max(1, time.max() // 200)):
        assert survival.survival_at(batch, day)[0] == pytest.approx(km.predict(day), abs=1e-12)


def test_band_equals_lifelines(sample):
    time, event = sample
    batch, km = one(time, event), judge(time, event)
    for day in np.unique(time):
        ours = np.ravel(survival.interval_at(batch, day))
        np.testing.assert_allclose(ours, km.confidence_interval_.loc[:day].iloc[-1], atol=1e-9)


def test_quantiles_equal_lifelines(sample):
    time, event = sample
    batch, km = one(time, event), judge(time, event)
    curve = km.survival_function_.iloc[:, 0]
    for q in (0.25, 0.5, 0.75):
        assert same_day_unless_exact(
            survival.median(batch, q)[0], qth_survival_time(q, km.survival_function_), curve, q
        )


def test_limits_of_the_median_equal_lifelines(sample):
    time, event = sample
    batch, km = one(time, event), judge(time, event)
    # lifelines looks the limits up by bisection, which presupposes bands that fall.
    assert (km.confidence_interval_.diff().iloc[1:] <= 1e-12).all(axis=None)
    theirs = np.ravel(median_survival_times(km.confidence_interval_))
    ours = np.ravel(survival.median_interval(batch))
    for day, day_of_lifelines, name in zip(ours, theirs, km.confidence_interval_, strict=True):
        assert same_day_unless_exact(day, day_of_lifelines, km.confidence_interval_[name])


def test_restricted_mean_equals_lifelines(sample):
    time, event = sample
    batch, km = one(time, event), judge(time, event)
    for tau in (time.max() / 3, time.max(), time.max() + 5):
        theirs = restricted_mean_survival_time(km, t=tau)
        assert survival.rmst(batch, tau)[0] == pytest.approx(theirs, abs=1e-9)


def test_reverse_median_equals_lifelines_with_half_a_day_between(sample):
    time, event = sample
    # Deaths in the morning, censorings in the evening of the same day.
    km = judge(2 * time + ~event, ~event)
    ours = survival.reverse_median(one(time, event))[0]
    theirs = km.median_survival_time_ // 2 if np.isfinite(km.median_survival_time_) else np.inf
    curve = km.survival_function_.iloc[:, 0]
    assert ours == theirs or same_day_unless_exact(2 * ours + 1, km.median_survival_time_, curve)


def test_a_batch_with_members_equals_lifelines_trial_by_trial(batch_of_trials):
    time, event, member = batch_of_trials
    batch = survival.fit(time, event, member)
    medians, lower_and_upper = survival.median(batch), survival.median_interval(batch)
    for row in range(1, len(time)):
        km = judge(time[row][member[row]], event[row][member[row]])
        assert same_day_unless_exact(medians[row], km.median_survival_time_, km.survival_function_.iloc[:, 0])
        assert survival.survival_at(batch, 20)[row] == pytest.approx(km.predict(20), abs=1e-12)
        assert survival.rmst(batch, 30)[row] == pytest.approx(restricted_mean_survival_time(km, t=30))
        band = km.confidence_interval_
        for limit, name in zip(lower_and_upper, band, strict=True):
            first = band.index[band[name] <= 0.5 + 1e-9]
            assert limit[row] == (first[0] if len(first) else np.inf)


# ---- members
# -------------------------------------------------------------------------------------------------


def test_a_trial_without_members_is_nan_everywhere(batch_of_trials):
    batch = survival.fit(*batch_of_trials)
    answers = [
        survival.median(batch),
        survival.survival_at(batch, 0),
        survival.rmst(batch, 30),
        survival.rmst_standard_error(batch, 30),
        survival.reverse_median(batch),
        batch.survival,
        *survival.median_interval(batch),
        *(limit for transform in TRANSFORMS for limit in survival.interval_at(batch, 10, transform=transform)),
    ]
    for answer in answers:
        assert np.isnan(answer[0]).all()
        assert not np.isnan(answer[1:]).any()


def test_a_trial_without_places_is_nan():
    batch = survival.fit(np.zeros((2, 0), dtype=int), np.zeros((2, 0), dtype=bool))
    for answer in (survival.median(batch), survival.survival_at(batch, 3), survival.rmst(batch, 3)):
        assert np.isnan(answer).all()
        assert answer.shape == (2,)


def test_what_the_arrays_hold_for_others_does_not_matter(batch_of_trials):
    time, event, member = batch_of_trials
    elsewhere = survival.fit(np.where(member, time, -(10**12)), event ^ ~member, member)
    np.testing.assert_array_equal(elsewhere.survival, survival.fit(time, event, member).survival)


# ---- properties
# ----------------------------------------------------------------------------------------------


@st.composite
def trials(draw):
    """A small batch with many ties and any membership."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 8)))
    cells = shape[0] * shape[1]
    numbers = draw(st.lists(st.integers(0, 6), min_size=cells, max_size=cells))
    bits = st.lists(st.booleans(), min_size=cells, max_size=cells)
    return tuple(np.array(values).reshape(shape) for values in (numbers, draw(bits), draw(bits)))


def answers(batch):
    """Everything a batch can say, (answers, R)."""
    return np.array(
        [
            survival.median(batch),
            survival.survival_at(batch, 3),
            survival.rmst(batch, 5),
            survival.rmst_standard_error(batch, 5),
            survival.reverse_median(batch),
            batch.known_until,
            *(limit for name in TRANSFORMS for limit in survival.median_interval(batch, transform=name)),
            *(limit for name in TRANSFORMS for limit in survival.interval_at(batch, 3, transform=name)),
        ]
    )


@given(trials())
def test_a_curve_is_known_until_its_last_member_unless_nobody_survived_him(trial):
    time, event, member = trial
    found = survival.fit(time, event, member).known_until
    for row, who in enumerate(member):
        if not who.any():
            assert np.isnan(found[row])
            continue
        last = time[row][who].max()
        all_gone = event[row][who & (time[row] == last)].all()
        assert found[row] == (np.inf if all_gone else last)


def test_sums_do_not_round_by_the_other_trials_of_a_batch():
    """A trial of 40 among 900 places, and by itself: more places than NumPy's sum adds in one go."""
    rng = np.random.default_rng(11)
    time, event = rng.integers(0, 500, (6, 900)), rng.random((6, 900)) < 0.5
    member = np.arange(900) < np.array([[900], [40], [500], [40], [0], [129]])
    together = answers(survival.fit(time, event, member))
    for row in range(6):
        alone = answers(survival.fit(time[row : row + 1], event[row : row + 1], member[row : row + 1]))
        np.testing.assert_array_equal(together[:, row], alone[:, 0])


@given(trials())
def test_a_row_equals_the_row_alone(trial):
    time, event, member = trial
    together = answers(survival.fit(time, event, member))
    for row in range(len(time)):
        alone = answers(survival.fit(time[row : row + 1], event[row : row + 1], member[row : row + 1]))
        np.testing.assert_array_equal(together[:, row], alone[:, 0])


@given(trials())
def test_leaving_out_equals_not_being_a_member(trial):
    time, event, member = trial
    for row in range(len(time)):
        chosen = member[row]
        masked = answers(survival.fit(time[row : row + 1], event[row : row + 1], member[row : row + 1]))
        np.testing.assert_array_equal(masked, answers(one(time[row][chosen], event[row][chosen])))


@given(trials(), st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(trial, random):
    order = list(range(trial[0].shape[1]))
    random.shuffle(order)
    shuffled = answers(survival.fit(*(array[:, order] for array in trial)))
    np.testing.assert_array_equal(answers(survival.fit(*trial)), shuffled)


def test_the_layout_in_memory_does_not_matter(batch_of_trials):
    by_columns = answers(survival.fit(*(np.asfortranarray(array) for array in batch_of_trials)))
    np.testing.assert_array_equal(answers(survival.fit(*batch_of_trials)), by_columns)


@given(trials())
def test_without_censoring_survival_is_the_share_who_live_longer(trial):
    time, event, _ = trial
    batch = survival.fit(time, np.ones_like(event))
    for day in range(8):
        np.testing.assert_allclose(survival.survival_at(batch, day), (time > day).mean(axis=1), atol=1e-12)


def day_by_day(time, event):
    """Survival and Greenwood's sum on each distinct day, by the textbook with ties taken together."""
    product, total, rows = 1.0, 0.0, []
    for day in np.unique(time):
        n, d = np.count_nonzero(time >= day), np.count_nonzero((time == day) & event)
        product *= 1 - d / n
        total += d / (n * (n - d)) if n > d else 0.0
        rows.append((day, product, total))
    return tuple(np.array(column) for column in zip(*rows, strict=True))


@given(trials(), st.sampled_from(TRANSFORMS), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_single_steps_equal_the_textbook_with_ties(trial, transform, level):
    # The limits of the median too: small samples have bands that rise again, and the middle of a tied day
    # must not count.
    time, event = trial[0][:1], trial[1][:1]
    batch = survival.fit(time, event)
    days, product, total = day_by_day(time[0], event[0])
    for day, value in zip(days, product, strict=True):
        assert survival.survival_at(batch, day)[0] == pytest.approx(value, abs=1e-12)
    found = survival.median_interval(batch, level, transform)
    # At S = 0 Greenwood's last term is left out in both, and the band closes at 0.
    for limit, textbook in zip(found, curves.band(product, total, level, transform), strict=True):
        reached = days[textbook <= 0.5 + 1e-9]
        assert limit[0] == (reached[0] if len(reached) else np.inf)


@given(trials(), st.sampled_from(TRANSFORMS))
def test_limits_lie_around_the_estimate_and_within_0_and_1(trial, transform):
    batch = survival.fit(*trial[:2])
    for day in range(7):
        lower, upper = survival.interval_at(batch, day, transform=transform)
        middle = survival.survival_at(batch, day)
        assert (lower >= 0).all()
        assert (lower <= middle + 1e-12).all()
        assert (middle <= upper + 1e-12).all()
        assert (upper <= 1).all()


# ---- refusals
# ------------------------------------------------------------------------------------------------


def test_wrong_input_is_refused():
    with pytest.raises(TypeError, match="whole days"):
        survival.fit(TIME.astype(float), EVENT)
    with pytest.raises(TypeError, match="event"):
        survival.fit(TIME, EVENT.astype(int))
    with pytest.raises(TypeError, match="member"):
        survival.fit(TIME, EVENT, EVENT.astype(int))
    with pytest.raises(ValueError, match="shapes"):
        survival.fit(TIME, EVENT[:, :3])
    with pytest.raises(ValueError, match="shapes"):
        survival.fit(TIME, EVENT, EVENT[:, :3])
    with pytest.raises(ValueError, match="two axes"):
        survival.fit(TIME[0], EVENT[0])
    with pytest.raises(ValueError, match="outside"):
        survival.fit(-TIME, EVENT)
    with pytest.raises(ValueError, match="outside"):
        survival.fit(TIME + curves.NEVER, EVENT)


def test_wrong_settings_are_refused():
    batch = survival.fit(TIME, EVENT)
    with pytest.raises(ValueError, match="tau"):
        survival.rmst(batch, -1)
    with pytest.raises(ValueError, match="tau"):
        survival.rmst_standard_error(batch, np.inf)
    with pytest.raises(ValueError, match="level"):
        survival.interval_at(batch, 5, level=95)
    with pytest.raises(ValueError, match="transform"):
        survival.median_interval(batch, transform="logit")
    with pytest.raises(ValueError, match="q must"):
        survival.median(batch, q=0)


def test_on_grid_is_survival_at_every_day_of_the_grid() -> None:
    rng = np.random.default_rng(5)
    time, event, member = rng.integers(0, 60, (9, 30)), rng.random((9, 30)) < 0.6, rng.random((9, 30)) < 0.7
    member[3] = False  # nobody
    event[4] = True  # everybody dies: the curve stays known
    days = np.arange(0, 100, 7)
    fitted = survival.fit(time, event, member)
    values, at_risk = survival.on_grid(fitted, days)
    for column, day in enumerate(days):
        expected = survival.survival_at(fitted, float(day))
        risk = (member & (time >= day)).sum(axis=1)
        unknown = (risk == 0) & ~(expected <= 0.0)
        np.testing.assert_array_equal(at_risk[:, column], risk)
        np.testing.assert_array_equal(values[:, column], np.where(unknown, np.nan, expected))
